// Nobody knows yet whether the payer has passed a challenge for the first of the series.
use escrowed::payment::payin::{Created, Need, Payin};

fn again(first: &Payin<Created>) -> Need<'_> {
    Need::Recurring { first }
}

fn main() {}
