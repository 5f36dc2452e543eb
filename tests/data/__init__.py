"""Tests of readers and demo scenes."""
