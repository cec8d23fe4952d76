"""Fibers, what they wait for, and the thread with the event loop."""
