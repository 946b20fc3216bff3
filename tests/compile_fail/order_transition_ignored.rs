// The order was accepted, but nothing is written: the transition has to be saved.
#![deny(unused_must_use)]

use escrowed::lifecycle::Refused;
use escrowed::order::{Order, Published};
use escrowed::party::Stamp;

fn accept(order: Order<Published>, at: &Stamp) -> Result<(), Refused<Order<Published>>> {
    order.accept(at)?;
    Ok(())
}

fn main() {}
