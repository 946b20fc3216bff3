// Everything is paid: nothing can be undone any more.
use escrowed::movement::{Committed, Movement};
use escrowed::party::Stamp;

fn undo(movement: Movement<Committed>, at: &Stamp) {
    let _ = movement.undo(at);
}

fn main() {}
