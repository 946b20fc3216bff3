// A low value is exempt only where those before it are counted.
use escrowed::{payment::payin::Need, sca::Limits};

fn exempt(limits: &Limits) -> Need<'_> {
    Need::LowValue { limits }
}

fn main() {}
