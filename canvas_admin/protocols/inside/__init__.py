"""What runs inside the sandbox: a process that forks a locked child for each run.

Nothing here imports Django or the project. The package is imported by itself, by an
interpreter without an environment; canvas_admin.protocols.sandbox starts it.
"""
