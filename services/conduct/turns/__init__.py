"""Taking turns: who begins, who cuts in, who hangs up."""
