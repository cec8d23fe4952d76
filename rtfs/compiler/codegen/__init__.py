"""From AST nodes to Python code objects. Reads nodes only; knows neither forms nor macros."""
