"""The published networks of the pose stage as torch modules: batched, and on any device."""
