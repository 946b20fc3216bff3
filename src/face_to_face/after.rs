//! What happens to the money of a face-to-face deal after it has left.

use super::{AnyFaceToFace, Complained, FaceToFace, FundsReleased};
use crate::payment::notes_after;

notes_after!(FaceToFace, AnyFaceToFace: Complained, FundsReleased);
