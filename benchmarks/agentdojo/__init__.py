"""AgentDojo v1.2.2 without a model: honest plans run against its attacks, with and without flow rules."""

from benchmarks.agentdojo.table import run

__all__ = ["run"]
