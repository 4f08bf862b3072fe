"""Classes written for canvas_workflow_kit, run as they are (DESIGN section 7)."""
