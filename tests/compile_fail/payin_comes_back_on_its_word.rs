// That the payer is back is not that the money is there.
use escrowed::order::{Order, PendingPublish};
use escrowed::party::Stamp;
use escrowed::payment::payin::{Created, Payin};
use escrowed::sca::Response;

fn publish(order: Order<PendingPublish>, payin: Payin<Created>, response: Response, at: &Stamp) {
    let back = payin.come_back(response, at).unwrap();
    let _ = order.publish(back.value(), at);
}

fn main() {}
