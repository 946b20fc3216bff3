// Everybody is paid: there is nothing left to call off.
use escrowed::order::{Order, Released};
use escrowed::party::Stamp;

fn cancel(order: Order<Released>, at: &Stamp) {
    let _ = order.cancel(at);
}

fn main() {}
