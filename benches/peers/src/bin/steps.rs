//! The bare change of a status, from `PUBLISHED` to `ACCEPTED`, by libraries that do this and nothing else, beside a
//! whole step of ours in the same run.
//!
//! They are not alike: these libraries look up the next status and write it down. A step of ours also finds out who
//! acts and whether that one may, writes the history, and gives the event, the row for queries, the entries and the
//! calls, ready to be stored. The ratio says what all of that costs, not which library is better.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin steps
//! ```

#[path = "../../../steps/measure.rs"]
mod measure;
#[path = "../../../steps/orders.rs"]
mod orders;

use escrowed::order::{AnyOrder, Command};
use measure::{Way, compare};
use std::hint::black_box;

fn main() {
    let (log, at) = (orders::published(), orders::stamp("sam"));
    compare(
        "PUBLISHED to ACCEPTED",
        [
            Way::new(
                "escrowed, a typed step",
                || orders::order(&log),
                |order| order.accept(black_box(&at)).expect("the seller accepts"),
            ),
            Way::new(
                "escrowed, a step by `handle`",
                || AnyOrder::Published(orders::order(&log)),
                |order| order.handle(Command::Accept { payout: None }, black_box(&at)).expect("the seller accepts"),
            ),
            Way::new("statum, bare", by_statum::published, |order| black_box(order).accept()),
            Way::new("statig, bare", by_statig::published, |mut order| {
                order.handle(black_box(&by_statig::Event::Accept));
                order
            }),
            Way::new("rust-fsm, bare", by_rust_fsm::order::StateMachine::new, |mut order| {
                order.consume(black_box(&by_rust_fsm::order::Input::Accept)).expect("it may be accepted");
                order
            }),
            Way::new("smlang, bare", by_smlang::published, |mut order| {
                order.process_event(black_box(by_smlang::Events::Accept)).expect("it may be accepted");
                order
            }),
        ],
    );
}

#[allow(dead_code, reason = "only one change is measured")]
mod by_statum {
    use statum::{machine, state, transition};

    #[state]
    pub enum Status {
        Published,
        Accepted,
        Cancelled,
    }

    #[machine]
    pub struct Order<Status> {}

    #[transition]
    impl Order<Published> {
        pub fn accept(self) -> Order<Accepted> {
            self.transition()
        }
        pub fn cancel(self) -> Order<Cancelled> {
            self.transition()
        }
    }

    pub(crate) fn published() -> Order<Published> {
        Order::<Published>::builder().build()
    }
}

#[allow(dead_code, reason = "only one change is measured")]
mod by_statig {
    use statig::{Outcome::Transition, prelude::*};

    #[derive(Default)]
    pub(crate) struct Order;

    pub(crate) enum Event {
        Accept,
        Cancel,
    }

    #[state_machine(initial = "State::published()")]
    impl Order {
        #[state]
        fn published(event: &Event) -> statig::Outcome<State> {
            match event {
                Event::Accept => Transition(State::accepted()),
                Event::Cancel => Transition(State::cancelled()),
            }
        }
        #[state]
        fn accepted(event: &Event) -> statig::Outcome<State> {
            match event {
                Event::Accept => Super,
                Event::Cancel => Transition(State::cancelled()),
            }
        }
        #[state]
        fn cancelled() -> statig::Outcome<State> {
            Super
        }
    }

    pub(crate) fn published() -> statig::blocking::InitializedStateMachine<Order> {
        Order.uninitialized_state_machine().init()
    }
}

#[allow(dead_code, reason = "only one change is measured")]
mod by_rust_fsm {
    rust_fsm::state_machine! {
        pub order(Published)

        Published => {
            Accept => Accepted,
            Cancel => Cancelled
        },
        Accepted(Cancel) => Cancelled
    }
}

#[allow(dead_code, reason = "only one change is measured")]
mod by_smlang {
    smlang::statemachine! {
        transitions: {
            *Published + Accept = Accepted,
            Published | Accepted + Cancel = Cancelled,
        }
    }

    pub(crate) struct Nothing;

    impl StateMachineContext for Nothing {}

    pub(crate) fn published() -> StateMachine<Nothing> {
        StateMachine::new(Nothing)
    }
}
