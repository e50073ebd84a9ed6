"""The agent's conduct: what must not be said, silence and waiting, interruption, how calls begin
and end. A call's events in, warnings, ticks and wording cards out; everything is a pure fold."""
