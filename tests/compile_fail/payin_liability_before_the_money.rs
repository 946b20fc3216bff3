// Who is liable is known once the money is there.
use escrowed::payment::payin::{Created, Payin};
use escrowed::sca::Liability;

fn liable(payin: &Payin<Created>) -> Liability {
    payin.liability()
}

fn main() {}
