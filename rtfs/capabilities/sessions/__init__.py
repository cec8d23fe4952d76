"""Sessions: what a provider writes (`handler`), the one pool for all of them (`pool`), and the providers we bring.

Importing this package imports neither asyncio nor any provider; registry, pool and pipeline know no provider's name.
"""
