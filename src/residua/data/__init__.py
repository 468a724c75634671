"""Pictures: sets, batches and augmentation."""
