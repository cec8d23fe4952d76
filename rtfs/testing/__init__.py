"""Golden files, their runner and pytest plugin, and what is made from the declarations of the language.

Nothing is imported here: the pytest plugin is loaded in every pytest run of an environment that has this package.
"""
