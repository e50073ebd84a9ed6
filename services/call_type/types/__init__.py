"""What kind of call it is: the ten types, the intake kind, the turns from one type to another."""
