"""The browser editor and its mount."""
