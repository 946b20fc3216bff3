// The event can be had by decoding it, but not the seal that a step needs.
use escrowed::lifecycle::{Lifecycle, take};
use escrowed::order::{AnyOrder, Event, Order, Published, Seal};
use escrowed::party::Stamp;

fn accept(order: Order<Published>, at: &Stamp) {
    if let Some(Ok(Event::Accept(event))) = AnyOrder::decode("accept", "{}") {
        let _ = take(order, event, at, Seal(()));
    }
}

fn main() {}
