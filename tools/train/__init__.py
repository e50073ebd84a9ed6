"""`banxi train`: what is learned from labelled sentences, made again by one command."""
