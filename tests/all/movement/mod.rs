//! Movements.
