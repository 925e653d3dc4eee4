"""The atlas as plain files: gather everything through `pipeline.atlas`, then write."""
