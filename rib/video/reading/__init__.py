"""Readers of clips: video files, animations, folders of pictures, arrays; open what a user names."""
