//! One step: checked against the table and the facts, then taken. The same code runs live and in replay.

use super::{Edge, Effects, Facts, Head, Reason, Refused, Transition, effects::Written};
use crate::{
    id::{Id, Identified},
    ledger::GatewayName,
    money::Money,
    party::{Actor, Stamp},
    store::{Commit, Payload},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{cell::RefCell, marker::PhantomData};

/// A lifecycle as its `Any…` enum: all its statuses in one type. Implemented by the `lifecycle!` macro.
pub trait Lifecycle: Value<Any = Self> + Identified + std::fmt::Debug {
    /// The table everything comes from.
    const TABLE: &'static super::Table;
    /// The version of the form of its events. A log with a later one is refused.
    const VERSION: u16;
    /// Its statuses.
    type Status: Copy + PartialEq + std::fmt::Debug + std::fmt::Display + Send + Sync + Serialize + 'static;
    /// What is known in every status.
    type Facts: Facts;
    /// Its first event.
    type Opening: Opening<Self>;
    /// All its other events.
    type Event: Send;
    /// An action with what it needs. Some need evidence, which they borrow. Its JSON tells it from other commands; evidence
    /// is an id there.
    type Command<'e>: Send + Serialize;
    /// Known to the lifecycle's own module only: who has none of these can take no step past its methods.
    type Seal;

    /// Does what a command says, whatever the status.
    ///
    /// # Errors
    /// [`Refused`] with the value as it was and the reason.
    fn handle(self, command: Self::Command<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>>;

    /// The status at a position of the table.
    fn status_at(position: usize) -> Self::Status;
    /// The value as it begins, in its first status.
    #[doc(hidden)]
    fn begin(kernel: &Kernel<Self>, head: Head<Self>) -> Self;
    /// Reads an event. `None` when the lifecycle knows none of that name.
    #[doc(hidden)]
    fn decode(name: &str, body: &str) -> Option<Result<Self::Event, serde_json::Error>>;
    /// Takes the step that an event tells of.
    #[doc(hidden)]
    fn redo(self, kernel: &Kernel<Self>, event: Self::Event, at: &Stamp) -> Result<Self, Reason>;
}

/// A value of a lifecycle: of one status, or the enum of all. Implemented by the `lifecycle!` macro.
pub trait Value: Sized + Send + 'static {
    /// The enum of all statuses.
    type Any: Lifecycle;
    /// The position of its status in the table; `None` for the enum.
    const STATUS: Option<usize>;

    /// What it carries whatever its status.
    fn head(&self) -> &Head<Self::Any>;
    /// For the kernel.
    #[doc(hidden)]
    fn head_mut(&mut self, kernel: &Kernel<Self::Any>) -> &mut Head<Self::Any>;
    /// The position of its status in the table.
    fn position(&self) -> usize;
    /// The same value as the enum of all statuses.
    fn widen(self) -> Self::Any;
    /// The same value out of the enum of all statuses, if it is in this one.
    fn among(any: &Self::Any) -> Option<&Self>;
}

/// The first event of a lifecycle.
pub trait Opening<L: Lifecycle>: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// What it demands, and what it does with money and calls.
    ///
    /// # Errors
    /// The reason why nothing can be opened like this.
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason>;
    /// What the escrow account holds from the start: zero in its currency, except for a payment that was opened with
    /// the money of another account. In minor units.
    fn held(&self) -> Money;
    /// What is known in every status. Like [`Takes::make`], it has nothing left to refuse, and is asked for only once `check` has
    /// passed.
    fn facts(self, at: &Stamp) -> L::Facts;
    /// When the clock acts on it (UTC), if it will.
    fn deadline(&self) -> Option<crate::time::Timestamp> {
        None
    }
    /// Through which gateway its payments go; `None` when it does not say. An escrow refuses another than its own.
    fn gateway(&self) -> Option<&GatewayName> {
        None
    }
    /// What is asked for by it, as JSON, to tell a request from another one: all of it, but what is made anew for each
    /// attempt, such as a code that is drawn.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    fn asked(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// An event: which action made it. Implemented by the `lifecycle!` macro.
pub trait Recorded<L: Lifecycle>: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The position of the action in the table.
    const ACTION: usize;
}

/// That a value of this status can take an event. The one place where it is decided, live and in replay.
pub trait Takes<E: Recorded<Self::Any>>: Value {
    /// What it becomes.
    type Next: Value<Any = Self::Any>;

    /// What the event demands, beyond what the table says, and what it does with money and calls. Nothing, unless said.
    ///
    /// # Errors
    /// The reason why the step cannot be taken. Nothing has changed then.
    fn check(&self, _event: &E, _step: &mut Effects<'_>) -> Result<(), Reason> {
        Ok(())
    }

    /// The next value. Has nothing left to refuse.
    fn make(self, event: E, at: &Stamp) -> Self::Next;

    /// The position of the status it becomes. Only a step that chooses among several has to say.
    fn lands(&self, _event: &E) -> usize {
        const {
            assert!(
                Self::Next::STATUS.is_some(),
                "a step that may land in several statuses has to say in which: implement `lands`"
            );
        }
        Self::Next::STATUS.unwrap_or_default()
    }
}

/// Held by the kernel only, one for each lifecycle: methods that take one cannot be called from outside.
#[derive(Debug)]
pub struct Kernel<L>(PhantomData<fn() -> L>, Option<RefCell<Vec<Written>>>);

pub(super) const fn kernel<L>() -> Kernel<L> {
    Kernel(PhantomData, None)
}

/// One that keeps what each event wrote besides itself.
pub(super) const fn tracing<L>() -> Kernel<L> {
    Kernel(PhantomData, Some(RefCell::new(Vec::new())))
}

impl<L> Kernel<L> {
    /// Keeps what an event wrote, where that is wanted.
    pub(super) fn keep(&self, effects: Effects<'_>) {
        if let Some(trace) = &self.1 {
            trace.borrow_mut().push(effects.into());
        }
    }

    /// What was kept, in the order of the events.
    pub(super) fn kept(self) -> Vec<Written> {
        self.1.map(RefCell::into_inner).unwrap_or_default()
    }
}

/// Opens a lifecycle: its first value and all that must be written with it.
///
/// # Errors
/// [`Refused`] with the opening and the reason.
pub fn open<V>(
    id: Id<V::Any>,
    opening: <V::Any as Lifecycle>::Opening,
    at: &Stamp,
    _: <V::Any as Lifecycle>::Seal,
) -> Result<Transition<V>, Refused<<V::Any as Lifecycle>::Opening>>
where
    V: Value + TryFrom<<V as Value>::Any>,
{
    let mut effects = Effects::new(id.subject(), 1, at, opening.held());
    if let Err(reason) = opening.check(&mut effects) {
        return Err(Refused { value: opening, reason });
    }
    let payload = Payload::new(opening.clone());
    let Ok(value) = V::try_from(begin(id, opening, at)) else {
        unreachable!("a lifecycle opens in its first status");
    };
    // Whatever it holds from the start came with this commit.
    Ok(effects.transition(value, "open", payload).held_nothing_before())
}

pub(super) fn begin<L: Lifecycle>(id: Id<L>, opening: L::Opening, at: &Stamp) -> L {
    let (held, deadline) = (opening.held(), opening.deadline());
    let mut head = Head::new(id, opening.facts(at), held);
    head.deadline = deadline;
    head.advance(&kernel(), 1, held, Some(L::status_at(L::TABLE.initial)), at);
    L::begin(&kernel(), head)
}

pub(super) fn check_opening<'s, L: Lifecycle>(
    id: Id<L>,
    opening: &L::Opening,
    at: &'s Stamp,
) -> Result<Effects<'s>, Reason> {
    let mut effects = Effects::new(id.subject(), 1, at, opening.held());
    opening.check(&mut effects)?;
    Ok(effects)
}

/// Takes a step: the next value and all that must be written with it.
///
/// # Errors
/// [`Refused`] with the value as it was and the reason.
pub fn take<V, E>(
    value: V,
    event: E,
    at: &Stamp,
    _: <V::Any as Lifecycle>::Seal,
) -> Result<Transition<V::Next>, Refused<V>>
where
    V: Takes<E>,
    E: Recorded<V::Any>,
{
    let mut effects = Effects::of(&value, at);
    let edge = match judge(&value, &event, &mut effects) {
        Ok(edge) => edge,
        Err(reason) => return Err(Refused { value, reason }),
    };
    let payload = Payload::new(event.clone());
    let next = perform(value, event, edge, at, effects.held());
    Ok(effects.transition(next, <V::Any as Lifecycle>::TABLE.actions[E::ACTION], payload))
}

/// The commit of a note on a value that is only borrowed, as evidence is: a note changes no status, so what is written
/// can be told without the next value. The borrowed value is stale once the commit is stored.
pub(crate) fn note<V, E>(value: &V, event: E, at: &Stamp) -> Result<Commit, Reason>
where
    V: Takes<E>,
    E: Recorded<V::Any>,
{
    let mut effects = Effects::of(value, at);
    let edge = judge(value, &event, &mut effects)?;
    let name = <V::Any as Lifecycle>::TABLE.actions[E::ACTION];
    assert!(edge.is_note() && !effects.opens(), "{name} is no note that stands alone");
    let held = effects.held();
    Ok(effects.commit(value, name, Payload::new(event), held))
}

/// Takes a step again, in replay.
///
/// # Errors
/// The reason why the event is illegal.
#[doc(hidden)]
pub fn redo<V, E>(value: V, event: E, at: &Stamp, kernel: &Kernel<V::Any>) -> Result<V::Any, Reason>
where
    V: Takes<E>,
    E: Recorded<V::Any>,
{
    let mut effects = Effects::of(&value, at);
    let edge = judge(&value, &event, &mut effects)?;
    let next = perform(value, event, edge, at, effects.held());
    kernel.keep(effects);
    Ok(next.widen())
}

fn judge<V, E>(value: &V, event: &E, effects: &mut Effects<'_>) -> Result<&'static Edge, Reason>
where
    V: Takes<E>,
    E: Recorded<V::Any>,
{
    const { check_landing::<V, E>() };
    let stamp = effects.stamp();
    let edge = may_take::<V, E>(value, stamp)?;
    value.check(event, effects)?;
    let lands = if edge.is_note() { value.position() } else { value.lands(event) };
    let table = <V::Any as Lifecycle>::TABLE;
    assert!(edge.is_note() || edge.to.contains(&lands), "{} does not lead to status {lands}", table.actions[E::ACTION]);
    if !effects.agrees(edge.money) || !table.statuses[lands].holds.admits(effects.held().is_positive()) {
        return Err(Reason::Unbooked { action: table.actions[E::ACTION], held: effects.held() });
    }
    Ok(edge)
}

// A step that names the status it becomes must name one that its edge leads to.
#[track_caller]
const fn check_landing<V, E>()
where
    V: Takes<E>,
    E: Recorded<V::Any>,
{
    if let (Some(from), Some(to)) = (V::STATUS, V::Next::STATUS) {
        let table = <V::Any as Lifecycle>::TABLE;
        assert!(
            table.leads_by(E::ACTION, from, to),
            "the `Next` of a step is no status that its edge in the table leads to"
        );
    }
}

/// Whether the table lets this actor take this action now: the edge, or the reason why not.
pub fn may<V: Value>(value: &V, action: usize, at: &Stamp) -> Result<&'static Edge, Reason> {
    let mut ways = <V::Any as Lifecycle>::TABLE.ways(value.position(), action);
    match ways.find(|edge| suits(edge, value, at)) {
        Some(edge) => due(edge, value, at),
        None => Err(nobodys(value, action, &at.by)),
    }
}

/// The same for an action and a status that are known when it is compiled. The first way, nearly always the only one, is
/// found by then.
pub fn may_take<V: Takes<E>, E: Recorded<V::Any>>(value: &V, at: &Stamp) -> Result<&'static Edge, Reason> {
    match const { first_way::<V, E>() } {
        Some(edge) if suits(edge, value, at) => due(edge, value, at),
        Some(_) | None => may(value, E::ACTION, at),
    }
}

const fn first_way<V: Value, E: Recorded<V::Any>>() -> Option<&'static Edge> {
    match V::STATUS {
        Some(status) => <V::Any as Lifecycle>::TABLE.first_way(status, E::ACTION),
        None => None,
    }
}

#[inline]
fn suits<V: Value>(edge: &Edge, value: &V, at: &Stamp) -> bool {
    edge.takes(&at.by, |role| match &at.by {
        Actor::Party(who) => value.head().facts.plays(role, who),
        Actor::Office { .. } | Actor::Clock | Actor::Gateway => false,
    })
}

#[inline]
fn due<V: Value>(edge: &'static Edge, value: &V, at: &Stamp) -> Result<&'static Edge, Reason> {
    let due = value.head().deadline;
    if matches!(at.by, Actor::Clock) && due.is_none_or(|due| at.at < due) {
        return Err(Reason::NotDue { action: <V::Any as Lifecycle>::TABLE.actions[edge.action], due });
    }
    Ok(edge)
}

// Why no way was found for an action: there is none in this status, or none for this actor.
#[cold]
fn nobodys<V: Value>(value: &V, action: usize, by: &Actor) -> Reason {
    let (table, position) = (<V::Any as Lifecycle>::TABLE, value.position());
    let roles: Vec<_> = table.ways(position, action).flat_map(|edge| edge.by).map(|role| role.name).collect();
    let (action, status) = (table.actions[action], table.statuses[position].name);
    if roles.is_empty() {
        Reason::WrongStatus { action, status }
    } else {
        Reason::WrongActor { action, status, by: by.clone(), roles }
    }
}

fn perform<V, E>(mut value: V, event: E, edge: &Edge, at: &Stamp, held: Money) -> V::Next
where
    V: Takes<E>,
    E: Recorded<V::Any>,
{
    let (seq, from) = (value.head().seq() + 1, value.position());
    if !edge.is_note() {
        value.head_mut(&kernel()).deadline = None;
    }
    let mut next = value.make(event, at);
    let reached = (next.position() != from).then(|| <V::Any as Lifecycle>::status_at(next.position()));
    next.head_mut(&kernel()).advance(&kernel(), seq, held, reached, at);
    next
}
