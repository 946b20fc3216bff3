//! A lifecycle of the host's own, run by the same escrow as the built-in ones: Sharetribe's published
//! `default-purchase` process. The folder `purchase` is the lifecycle, to be read first. This file drives purchases through it
//! into SQLite, by a clock that is moved by hand, and checks where each of them and its money ends.
//!
//! ```text
//! cargo run --example own_lifecycle --features sqlite
//! ```

#![expect(unreachable_pub, reason = "an example is a program: nothing in it can be reached from outside")]

mod published;
mod purchase;
mod report;

use escrowed::{
    diagram::Diagram,
    escrow::{Clock, Escrow, ManualClock},
    gateway::Verb,
    ledger::{Account, Balance, Purpose, trial_balance},
    lifecycle::{Edge, Passage},
    money::Currency,
    party::{Actor, Role},
    sandbox::{Behaviour, Sandbox},
    sqlite::Sqlite,
    store::{Query, Store, Views},
    time::Timestamp,
};
use published::{published, the_table_is_the_published_process};
use purchase::{
    Action, AnyPurchase, CUSTOMER, Command, OPERATOR, PROVIDER, Purchase, PurchaseId, Status, TABLE, Terms,
};
use report::{print_actions, print_balances, print_money, print_path, print_verified};
use std::{error::Error, time::Duration};

type Shop = Escrow<Sqlite, Sandbox, ManualClock>;
type Outcome<T> = Result<T, Box<dyn Error>>;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// What somebody does, or what is looked at meanwhile.
enum Step {
    /// A user or the operator asks for something.
    Do(Actor, Command<'static>),
    /// Time passes.
    Wait(Duration),
    /// What the customer, the provider, the operator and time may do now.
    May([&'static [Action]; 4]),
}
use Step::{Do, May, Wait};

struct Story {
    says: &'static str,
    /// Whether the customer asks before paying.
    inquires: bool,
    /// What the gateway makes of the payment: it settles at once when left out.
    gateway: Option<Behaviour>,
    steps: Vec<Step>,
    /// The published transitions that it must have gone through, and how long after its opening.
    path: Vec<(Duration, &'static str)>,
    /// What must have become of its money.
    ending: Ending,
}

#[derive(Clone, Copy, PartialEq)]
enum Ending {
    ProviderPaid,
    CustomerRefunded,
    NothingPaid,
}

impl Ending {
    /// What is booked on the purchase's account: from the payin, then to the marketplace and the provider, or back.
    const fn purposes(self) -> &'static [Purpose] {
        match self {
            Self::ProviderPaid => &[Purpose::Collect, Purpose::Fee, Purpose::Release],
            Self::CustomerRefunded => &[Purpose::Collect, Purpose::GiveBack],
            Self::NothingPaid => &[],
        }
    }

    /// Its payments, which have lifecycles of their own, and how they end.
    const fn payments(self) -> &'static [&'static str] {
        match self {
            Self::ProviderPaid => &["payin CONFIRMED", "payout CONFIRMED"],
            Self::CustomerRefunded => &["payin REFUNDED", "refund CONFIRMED"],
            Self::NothingPaid => &["payin CANCELLED"],
        }
    }
}

fn main() -> Outcome<()> {
    the_table_is_the_published_process();
    // The table is a picture, too: for the host's own documentation.
    let picture = Diagram::of(&TABLE).svg();
    assert!(Status::ALL.iter().all(|status| picture.contains(status.name())), "every status is drawn");
    println!("It draws itself, in {} bytes of SVG.\n", picture.len());
    let folder = tempfile::tempdir()?;
    let clock = ManualClock::at("2026-05-07T09:00:00Z".parse()?);
    // All that an escrow has to be told of a lifecycle is its type.
    let shop = Escrow::with_clock(Sqlite::open(folder.path().join("shop.db"))?, Sandbox::new(1), clock);
    let shop = shop.with::<AnyPurchase>();
    let stories = stories()?;
    let paid = stories.iter().filter(|story| story.ending == Ending::ProviderPaid).count();
    futures_lite::future::block_on(async {
        for (number, story) in (1..).zip(stories) {
            println!("{number}. {}", story.says);
            tell(&shop, story).await?;
        }
        print_balances(&shop, i64::try_from(paid)?).await?;
        print_verified(&shop).await
    })
}

fn customer() -> Outcome<Actor> {
    Ok(Actor::Party("carla".parse()?))
}

fn provider() -> Outcome<Actor> {
    Ok(Actor::Party("pedro".parse()?))
}

fn operator() -> Outcome<Actor> {
    Ok(Actor::office(OPERATOR, "olga".parse()?))
}

fn terms() -> Outcome<Terms> {
    Ok(Terms {
        listing: "A bicycle".parse()?,
        customer: "carla".parse()?,
        provider: "pedro".parse()?,
        price: "120.00 EUR".parse()?,
        commission: "12.00 EUR".parse()?,
        marketplace: "shop".parse()?,
        gateway: "sandbox".parse()?,
    })
}

fn stories() -> Outcome<Vec<Story>> {
    Ok(vec![
        Story {
            says: "Bought, delivered, received, reviewed by both.",
            inquires: false,
            gateway: None,
            steps: vec![
                May([&[Action::MarkReceived], &[Action::MarkDelivered], &[Action::MarkDelivered, Action::Cancel], &[]]),
                Wait(2 * DAY),
                Do(provider()?, Command::MarkDelivered {}),
                May([&[Action::MarkReceived, Action::Dispute], &[], &[Action::Dispute], &[]]),
                Wait(3 * DAY),
                Do(customer()?, Command::MarkReceived {}),
                May([&[Action::ReviewByCustomer], &[Action::ReviewByProvider], &[], &[]]),
                Wait(DAY),
                Do(provider()?, Command::ReviewByProvider { text: "Paid at once.".parse()? }),
                May([&[Action::ReviewByCustomer], &[], &[], &[]]),
                Wait(DAY),
                Do(customer()?, Command::ReviewByCustomer { text: "Rides well.".parse()? }),
                May([&[], &[], &[], &[]]),
            ],
            path: vec![
                (Duration::ZERO, "request-payment"),
                (Duration::ZERO, "confirm-payment"),
                (2 * DAY, "mark-delivered"),
                (5 * DAY, "mark-received"),
                (5 * DAY, "auto-complete"),
                (6 * DAY, "review-1-by-provider"),
                (7 * DAY, "review-2-by-customer"),
            ],
            ending: Ending::ProviderPaid,
        },
        Story {
            says: "The customer never pays: the payment expires after 15 minutes.",
            inquires: false,
            gateway: Some(Behaviour::Pend),
            steps: vec![Wait(14 * MINUTE), May([&[], &[], &[], &[]]), Wait(MINUTE)],
            path: vec![(Duration::ZERO, "request-payment"), (15 * MINUTE, "expire-payment")],
            ending: Ending::NothingPaid,
        },
        Story {
            says: "The provider never delivers: cancelled after 14 days.",
            inquires: false,
            gateway: None,
            steps: vec![
                Wait(14 * DAY - MINUTE),
                May([&[Action::MarkReceived], &[Action::MarkDelivered], &[Action::MarkDelivered, Action::Cancel], &[]]),
                Wait(MINUTE),
            ],
            path: vec![
                (Duration::ZERO, "request-payment"),
                (Duration::ZERO, "confirm-payment"),
                (14 * DAY, "auto-cancel"),
            ],
            ending: Ending::CustomerRefunded,
        },
        Story {
            says: "The customer says nothing: received after 14 days. Only the customer reviews.",
            inquires: false,
            gateway: None,
            steps: vec![
                Wait(DAY),
                Do(operator()?, Command::MarkDelivered {}),
                Wait(14 * DAY),
                Wait(DAY),
                Do(customer()?, Command::ReviewByCustomer { text: "I was away, but it is fine.".parse()? }),
                May([&[], &[Action::ReviewByProvider], &[], &[]]),
                Wait(6 * DAY),
            ],
            path: vec![
                (Duration::ZERO, "request-payment"),
                (Duration::ZERO, "confirm-payment"),
                (DAY, "operator-mark-delivered"),
                (15 * DAY, "auto-mark-received"),
                (15 * DAY, "auto-complete"),
                (16 * DAY, "review-1-by-customer"),
                (22 * DAY, "expire-provider-review-period"),
            ],
            ending: Ending::ProviderPaid,
        },
        Story {
            says: "Disputed, and nobody decides: refunded after 60 days.",
            inquires: false,
            gateway: None,
            steps: vec![
                Wait(DAY),
                Do(provider()?, Command::MarkDelivered {}),
                Wait(DAY),
                Do(customer()?, Command::Dispute { why: "The frame is bent.".parse()? }),
                Wait(60 * DAY - MINUTE),
                May([&[], &[], &[Action::MarkReceived, Action::Cancel], &[]]),
                Wait(MINUTE),
            ],
            path: vec![
                (Duration::ZERO, "request-payment"),
                (Duration::ZERO, "confirm-payment"),
                (DAY, "mark-delivered"),
                (2 * DAY, "dispute"),
                (62 * DAY, "auto-cancel-from-disputed"),
            ],
            ending: Ending::CustomerRefunded,
        },
        Story {
            says: "Disputed, and the operator decides for the provider. Nobody reviews.",
            inquires: false,
            gateway: None,
            steps: vec![
                Wait(DAY),
                Do(provider()?, Command::MarkDelivered {}),
                Wait(DAY),
                Do(operator()?, Command::Dispute { why: "The customer says that it is not red.".parse()? }),
                Wait(DAY),
                May([&[], &[], &[Action::MarkReceived, Action::Cancel], &[]]),
                Do(operator()?, Command::MarkReceived {}),
                Wait(7 * DAY),
            ],
            path: vec![
                (Duration::ZERO, "request-payment"),
                (Duration::ZERO, "confirm-payment"),
                (DAY, "mark-delivered"),
                (2 * DAY, "operator-dispute"),
                (3 * DAY, "mark-received-from-disputed"),
                (3 * DAY, "auto-complete"),
                (10 * DAY, "expire-review-period"),
            ],
            ending: Ending::ProviderPaid,
        },
        Story {
            says: "An inquiry that becomes a purchase, handed over before it was marked delivered.",
            inquires: true,
            gateway: None,
            steps: vec![
                May([&[Action::RequestPayment], &[], &[], &[]]),
                Wait(DAY),
                Do(customer()?, Command::RequestPayment {}),
                Wait(DAY),
                Do(customer()?, Command::MarkReceived {}),
                Do(customer()?, Command::ReviewByCustomer { text: "As described.".parse()? }),
                Do(provider()?, Command::ReviewByProvider { text: "Asked well.".parse()? }),
            ],
            path: vec![
                (Duration::ZERO, "inquire"),
                (DAY, "request-payment-after-inquiry"),
                (DAY, "confirm-payment"),
                (2 * DAY, "mark-received-from-purchased"),
                (2 * DAY, "auto-complete"),
                (2 * DAY, "review-1-by-customer"),
                (2 * DAY, "review-2-by-provider"),
            ],
            ending: Ending::ProviderPaid,
        },
    ])
}

async fn tell(shop: &Shop, story: Story) -> Outcome<()> {
    shop.gateway().script(Verb::Charge, story.gateway);
    let id = open(shop, story.inquires).await?;
    work(shop).await?;
    for step in story.steps {
        match step {
            Do(by, command) => act(shop, id, command, by).await?,
            Wait(time) => shop.clock().advance(time),
            May(expected) => print_actions(shop, id, expected).await?,
        }
        work(shop).await?;
    }
    print_path(shop, id, &story.path).await?;
    print_money(shop, id, story.ending).await
}

/// The first two events in one commit: a purchase is never seen in `initial`.
async fn open(shop: &Shop, inquires: bool) -> Outcome<PurchaseId> {
    let at = shop.stamp(customer()?);
    let opened = Purchase::open(PurchaseId::generate(at.at), terms()?, &at)?;
    let begun = if inquires {
        opened.then(|purchase| purchase.inquire(&at))?.widen()
    } else {
        opened.then(|purchase| purchase.request_payment(&at))?.widen()
    };
    let mut unit = shop.store().begin().await?;
    let purchase = shop.save(&mut unit, begun, &at).await?;
    shop.store().commit(unit).await?;
    Ok(purchase.id())
}

/// A host's handler: somebody who is logged in asks for something, and it is written or refused.
async fn act(shop: &Shop, id: PurchaseId, command: Command<'_>, by: Actor) -> Outcome<()> {
    let mut unit = shop.store().begin().await?; // the host's own transaction: its own tables go here, too
    let _: AnyPurchase = shop.act(&mut unit, id, command, by).await?;
    shop.store().commit(unit).await?;
    Ok(())
}

/// What a background worker does all the time: asks the gateway, takes its answers, and does what is due.
async fn work(shop: &Shop) -> Outcome<()> {
    loop {
        let sent = shop.send(&"worker-1".parse()?, 100).await?;
        let due = shop.run_due(&"worker-1".parse()?, 100).await?;
        assert_eq!((sent.unknown, sent.parked, due.passed), (0, 0, 0), "nothing goes wrong here");
        if sent.taken + due.taken == 0 {
            return Ok(());
        }
    }
}

async fn load(shop: &Shop, id: PurchaseId) -> Outcome<AnyPurchase> {
    let mut unit = shop.store().begin().await?;
    Ok(shop.load(&mut unit, id).await?)
}
