"""The special forms, each declared once as data and analysed into nodes."""
