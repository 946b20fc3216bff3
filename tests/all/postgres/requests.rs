//! A connection that is cut around COMMIT leaves nobody knowing what became of it. Whoever asked under a key of its own
//! asks again: it is done once, and every answer is the first one.

use super::{
    database::{Database, block_on},
    proxy::{Cut, Proxy},
};
use crate::{
    harness::{Shop, euro, ops, party, seed, terms, user},
    market::{Dice, Sql, audit::SOUND},
};
use escrowed::{
    coalescing::{Coalescing, Shared},
    escrow::{Escrow, EscrowError, ManualClock},
    lifecycle::Value,
    order::{AnyOrder, Command, OrderId, PayoutPlan},
    party::Actor,
    payment::{Destination, Method},
    postgres::{Postgres, PostgresError},
    sandbox::Sandbox,
    store::{Query, Store, UnitOfWork, Views},
};
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};
use std::{collections::BTreeMap, fmt::Debug, thread};

type Service = Escrow<Postgres, Sandbox, ManualClock>;

/// How a client writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Each act is a transaction of its own.
    Bare,
    /// BEGIN and COMMIT.
    Transaction,
    /// Together with the other clients, on whatever connection is free.
    Shared,
}

/// What is asked for: an order from its draft to its release, step by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Open,
    Identify,
    Pay,
    Accept,
    Validate,
}

impl Step {
    const AFTER_OPEN: [Self; 4] = [Self::Identify, Self::Pay, Self::Accept, Self::Validate];

    fn command(self) -> (Command<'static>, Actor) {
        match self {
            Self::Open => panic!("there is nothing yet to command"),
            Self::Identify => (Command::IdentifyBuyer { buyer: party("anna") }, user("anna")),
            Self::Pay => (Command::Pay { by: Method::Wallet }, user("anna")),
            Self::Accept => {
                let payout = Some(PayoutPlan::to(party("sam"), Destination::Wallet));
                (Command::Accept { payout }, user("sam"))
            }
            Self::Validate => (Command::Validate {}, ops()),
        }
    }
}

/// An answer: which order, and all that it says of itself but the revision, which is how it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    id: OrderId,
    says: String,
}

impl Answer {
    fn of(order: &AnyOrder) -> Self {
        let says = format!("{} {} {:?} {:?}", order.status(), order.head().seq(), order.history(), order.facts());
        Self { id: order.id(), says }
    }
}

/// The order is that of all steps but the first.
async fn ask<U: UnitOfWork>(
    escrow: &Service,
    unit: &mut U,
    key: &str,
    step: Step,
    order: Option<OrderId>,
) -> Result<Answer, EscrowError<U::Error>> {
    let key = key.parse().unwrap();
    let order = match order {
        // A new id each time: done twice, there would be two orders.
        None => escrow.open_order(unit, terms(), ops().under(key)).await?.widen(),
        Some(id) => {
            let (command, by) = step.command();
            escrow.act(unit, id, command, by.under(key)).await?
        }
    };
    Ok(Answer::of(&order))
}

/// The answer, and whether it was there before.
async fn answered<U: UnitOfWork>(
    escrow: &Service,
    unit: &mut U,
    key: &str,
    step: Step,
    order: Option<OrderId>,
) -> Result<(Answer, bool), EscrowError<U::Error>> {
    let known = unit.answered(&key.parse().unwrap()).await.map_err(EscrowError::Storage)?.is_some();
    Ok((ask(escrow, unit, key, step, order).await?, known))
}

/// Why there is no answer.
#[derive(Debug)]
enum Failed {
    /// Whether it may be written all the same.
    Cut {
        in_doubt: bool,
    },
    Raced,
}

impl Failed {
    fn of<E: Debug>(error: EscrowError<E>, in_doubt: impl Fn(&E) -> Option<bool>) -> Self {
        match error {
            EscrowError::Storage(error) => match in_doubt(&error) {
                Some(in_doubt) => Self::Cut { in_doubt },
                None => panic!("{error:?}"),
            },
            EscrowError::Stale => Self::Raced,
            error => panic!("{error:?}"),
        }
    }
}

/// Of a connection that was cut: whether what was asked for may be written all the same.
fn in_doubt(way: Way, error: &PostgresError) -> Option<bool> {
    let (error, in_doubt) = match error {
        // Of a transaction, it may be the COMMIT that was cut.
        PostgresError::Database(error) => (error, way == Way::Transaction),
        PostgresError::InDoubt(error) => (error, true),
        _ => return None,
    };
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_)).then_some(in_doubt)
}

/// A client behind the proxy.
struct Client<'e> {
    escrow: &'e Service,
    options: PgConnectOptions,
    shared: &'e Coalescing<Postgres>,
    way: Way,
    connection: Option<PgConnection>,
    answers: BTreeMap<String, Answer>,
    count: Count,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    /// Requests that were cut and turned out to be done.
    done: usize,
    /// Requests that were cut and turned out not to be.
    not_done: usize,
    /// Tries that met the one before.
    raced: usize,
}

impl Client<'_> {
    /// Asks until there is an answer.
    async fn ask(&mut self, key: &str, step: Step, order: Option<OrderId>) -> Answer {
        let (mut cut, mut doubt) = (false, self.answers.contains_key(key));
        for _ in 0..1000 {
            match self.attempt(key, step, order).await {
                Ok((answer, known)) => {
                    assert!(doubt || !known, "{key} was done, and nothing was said to be written");
                    if cut {
                        *(if known { &mut self.count.done } else { &mut self.count.not_done }) += 1;
                    }
                    let first = self.answers.entry(key.to_owned()).or_insert_with(|| answer.clone());
                    assert_eq!(&answer, first, "{key} has two answers");
                    return answer;
                }
                Err(Failed::Cut { in_doubt }) => {
                    (cut, self.connection) = (true, None);
                    doubt |= in_doubt;
                }
                // A try that was cut has arrived since.
                Err(Failed::Raced) => self.count.raced += 1,
            }
        }
        panic!("{key} never got through");
    }

    /// The answer, and whether it was there before.
    async fn attempt(&mut self, key: &str, step: Step, order: Option<OrderId>) -> Result<(Answer, bool), Failed> {
        let way = self.way;
        if way == Way::Shared {
            let answered = answered(self.escrow, &mut self.shared.writer(), key, step, order).await;
            return answered.map_err(|error| {
                Failed::of(error, |error| match error {
                    Shared::Storage(error) => in_doubt(way, error).map(|_| false),
                    Shared::Unknown(error) => in_doubt(way, error).map(|_| true),
                    _ => None,
                })
            });
        }
        self.alone(key, step, order).await.map_err(|error| Failed::of(error, |error| in_doubt(way, error)))
    }

    /// On a connection of its own.
    async fn alone(
        &mut self,
        key: &str,
        step: Step,
        order: Option<OrderId>,
    ) -> Result<(Answer, bool), EscrowError<PostgresError>> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(PgConnection::connect_with(&self.options).await.map_err(storage)?),
        };
        if self.way == Way::Bare {
            return answered(self.escrow, connection, key, step, order).await;
        }
        let mut unit = connection.begin().await.map_err(storage)?;
        let answer = answered(self.escrow, &mut unit, key, step, order).await;
        match &answer {
            Ok(_) => unit.commit().await.map_err(storage)?,
            Err(_) => drop(unit.rollback().await),
        }
        answer
    }

    /// Takes orders from their draft to their release.
    async fn run(mut self, name: &str, orders: usize, mut dice: Dice) -> Self {
        for number in 0..orders {
            let key = |step: Step| format!("{name}-{number}-{step:?}");
            let id = self.ask(&key(Step::Open), Step::Open, None).await.id;
            for step in Step::AFTER_OPEN {
                self.ask(&key(step), step, Some(id)).await;
            }
            // Long after, and after others went on.
            let again = Step::AFTER_OPEN[usize::try_from(dice.below(4)).unwrap()];
            self.ask(&key(again), again, Some(id)).await;
            if dice.below(4) == 0 {
                self.ask(&key(Step::Open), Step::Open, None).await;
            }
        }
        self
    }
}

fn storage(error: sqlx::Error) -> EscrowError<PostgresError> {
    EscrowError::Storage(error.into())
}

/// Cuts thousands of connections between these clients and the server, and then looks at what is there.
fn cut(way: Way) {
    const CLIENTS: u64 = 8;
    const ORDERS: usize = 27;
    let (seed, database) = (seed(), Database::new());
    let shop = Shop::new(block_on(database.store()), seed);
    block_on(shop.fill_wallet("anna", euro("50000.00")));
    let options = database.options().ssl_mode(PgSslMode::Disable);
    let (proxy, address) = Proxy::before(options.get_host(), options.get_port(), seed);
    let options = options.host("127.0.0.1").port(address.port());
    let shared = block_on(async {
        let pool = PgPoolOptions::new().max_connections(4).connect_lazy_with(options.clone());
        for _ in 0..100 {
            // The tables are there. To find that out may be cut, too.
            if let Ok(store) = Postgres::from_pool(pool.clone()).await {
                return Coalescing::new(store);
            }
        }
        panic!("no connection was ever left alone");
    });
    let clients: Vec<Client<'_>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let client = Client {
                    escrow: &shop.escrow,
                    options: options.clone(),
                    shared: &shared,
                    way,
                    connection: None,
                    answers: BTreeMap::new(),
                    count: Count::default(),
                };
                scope.spawn(move || block_on(client.run(&format!("client-{number}"), ORDERS, Dice(seed + number))))
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let tally = proxy.tally();
    let sum = |of: fn(&Count) -> usize| clients.iter().map(|client| of(&client.count)).sum::<usize>();
    let (done, not_done, raced) = (sum(|c| c.done), sum(|c| c.not_done), sum(|c| c.raced));
    let cuts: usize = tally.values().sum();
    eprintln!(
        "{way:?}: {cuts} cuts {tally:?}; of the requests that met some, {done} were done and {not_done} not; \
        {raced} tries raced"
    );
    assert!(cuts > 1000 && Cut::ALL.iter().all(|cut| tally.contains_key(cut)), "{tally:?}");
    assert!(done > 0 && not_done > 0);
    let answers: BTreeMap<_, _> = clients.into_iter().flat_map(|client| client.answers).collect();
    let orders = usize::try_from(CLIENTS).unwrap() * ORDERS;
    assert_eq!(answers.len(), orders * 5);
    block_on(look(&shop, &answers, orders));
}

/// Each request was done once, and nothing else.
async fn look(shop: &Shop<Postgres>, answers: &BTreeMap<String, Answer>, orders: usize) {
    shop.audit().await;
    let mut unit = shop.begin().await;
    for query in SOUND.iter().chain(<Postgres as Store>::Unit::SOUND) {
        assert_eq!(unit.rows(query).await.unwrap(), Vec::<String>::new(), "{query}");
    }
    let kept = unit.rows("SELECT key FROM escrowed_requests ORDER BY key").await.unwrap();
    assert!(kept.iter().eq(answers.keys()), "{kept:?}");
    for (key, answer) in answers {
        let kept = unit.answered(&key.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(kept.subject, answer.id.subject(), "{key}");
        // The same key for anything else.
        let other = user("anna").under(key.parse().unwrap());
        let refused = shop.escrow.act(&mut unit, answer.id, Command::Cancel {}, other).await;
        assert!(matches!(refused, Err(EscrowError::OtherRequest { .. })), "{key}: {refused:?}");
    }
    // The order that filled the wallet, and those that were asked for: opened once, paid once, released once.
    let released =
        unit.find(&Query::of::<AnyOrder>(escrowed::order::Status::Released), None, usize::MAX).await.unwrap();
    let opened = unit.rows("SELECT id FROM escrowed_subjects WHERE lifecycle = 'order'").await.unwrap();
    assert_eq!((released.rows.len(), opened.len()), (orders + 1, orders + 1));
    drop(unit);
    let price = i64::try_from(orders).unwrap() * 10_000;
    assert_eq!(shop.balance("wallet:anna").await.minor(), 5_000_000 - price);
    let (sam, shop) = (shop.balance("wallet:sam").await.minor(), shop.balance("wallet:shop").await.minor());
    assert_eq!((sam, shop), (price / 10 * 9, price / 10));
}

#[test]
fn a_cut_append_is_done_once() {
    cut(Way::Bare);
}

#[test]
fn a_cut_commit_is_done_once() {
    cut(Way::Transaction);
}

#[test]
fn a_cut_write_that_several_share_is_done_once() {
    cut(Way::Shared);
}
