"""The chorus over REST: runs that people start, watch, keep and delete, each seeing only what its asker may."""
