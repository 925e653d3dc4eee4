"""The entries of a scan, and work on all of them: shared by project, crop and verify."""
