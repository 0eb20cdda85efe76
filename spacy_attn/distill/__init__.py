"""Distillation: texts, what teachers say of them, and a student that learns it."""
