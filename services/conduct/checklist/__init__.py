"""What should be said in a call, and when its moment comes and passes."""
