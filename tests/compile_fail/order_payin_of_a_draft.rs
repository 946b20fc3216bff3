// A draft was not paid: it has no payin.
use escrowed::order::{Draft, Order};
use escrowed::payment::PayinId;

fn payin(order: &Order<Draft>) -> PayinId {
    order.payin()
}

fn main() {}
