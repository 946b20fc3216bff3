// Steps are taken by the methods of a status only.
use escrowed::lifecycle::Lifecycle;
use escrowed::order::{AnyOrder, Event, Order, Published};
use escrowed::party::Stamp;

fn accept(order: Order<Published>, at: &Stamp) {
    if let Some(Ok(Event::Accept(event))) = AnyOrder::decode("accept", "{}") {
        let _ = order.take(event, at);
    }
}

fn main() {}
