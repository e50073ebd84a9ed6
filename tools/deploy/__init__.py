"""`banxi deploy`: what an operator can check before anything is put on a cluster."""
