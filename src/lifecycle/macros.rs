//! The macro that turns a table into a lifecycle.

/// Writes what every lifecycle has from its table: the typestate struct, the enum of all statuses, the enums of
/// statuses, actions, events and commands, the `const` table, and the check that no money is stranded or conjured.
///
/// What is particular to a lifecycle stays hand-written: the struct of each status (with the data that only this status
/// has), the events, one [`Takes`](crate::lifecycle::Takes) per event and status, and the methods that a user calls.
/// A table and code that differ do not compile: each edge calls the method of its name.
///
/// ```
/// use escrowed::lifecycle::{Effects, Facts, Opening, Reason, Refused, Takes, Transition};
/// use escrowed::money::{Currency, Money};
/// use escrowed::party::{Actor, PartyId, Role, Stamp};
/// use serde::{Deserialize, Serialize};
///
/// const GUEST: Role = Role::party("guest");
/// const HOTEL: Role = Role::office("hotel");
///
/// escrowed::lifecycle! {
///     /// A night in a hotel.
///     pub lifecycle Stay, AnyStay as "stay" with ids "stay" {
///         version 1;
///         facts Guest;
///         opening Asked;
///         initial Open;
///         statuses {
///             /// The room is held.
///             Open = "open", Nothing;
///             /// The guest slept there.
///             Over = "over", Nothing;
///         }
///         edges {
///             check_out => CheckOut records Left {
///                 /// Any time.
///                 Open -> Over by GUEST | HOTEL, Keep, Own;
///             }
///         }
///         notes {}
///         commands Command;
///     }
/// }
///
/// #[derive(Debug, Default)] pub struct Open;
/// #[derive(Debug)] pub struct Over { pub at: escrowed::time::Timestamp }
/// #[derive(Debug)] pub struct Guest(PartyId);
/// #[derive(Debug, Clone, Serialize, Deserialize)] pub struct Asked { guest: PartyId }
/// #[derive(Debug, Clone, Serialize, Deserialize)] pub struct Left;
///
/// impl Facts for Guest {
///     fn plays(&self, role: Role, who: &PartyId) -> bool { role == GUEST && *who == self.0 }
///     fn parties(&self) -> Vec<PartyId> { vec![self.0.clone()] }
/// }
/// impl Opening<AnyStay> for Asked {
///     fn check(&self, _: &mut Effects<'_>) -> Result<(), Reason> { Ok(()) }
///     fn held(&self) -> Money { Money::zero(Currency::EUR) }
///     fn facts(self, _: &Stamp) -> Guest { Guest(self.guest) }
/// }
/// impl Takes<Left> for Stay<Open> {
///     type Next = Stay<Over>;
///     fn check(&self, _: &Left, _: &mut Effects<'_>) -> Result<(), Reason> { Ok(()) }
///     fn make(self, _: Left, at: &Stamp) -> Stay<Over> { self.enter(Over { at: at.at }) }
/// }
/// impl Stay<Open> {
///     pub fn ask(id: StayId, asked: Asked, at: &Stamp) -> Result<Transition<Stay<Open>>, Refused<Asked>> {
///         Stay::opened(id, asked, at)
///     }
///     pub fn check_out(self, at: &Stamp) -> Result<Transition<Stay<Over>>, Refused<Self>> { self.take(Left, at) }
/// }
/// impl AnyStay {
///     // What the table cannot say about an action being possible now.
///     fn ready(&self, _: Action, _: &Stamp) -> Result<(), Reason> { Ok(()) }
/// }
/// pub type StayId = escrowed::id::Id<AnyStay>;
///
/// let guest: PartyId = "anna".parse()?;
/// let at = Stamp::new(Actor::Party(guest.clone()), "2026-05-07T15:39:46Z".parse()?);
/// let stay = Stay::ask(StayId::generate(at.at), Asked { guest }, &at)?;
/// assert_eq!(stay.value().status(), Status::Open);
/// let left = stay.then(|stay| stay.check_out(&at))?;
/// assert_eq!(left.value().state().at, at.at);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # The table, line by line
///
/// Everything is there in this order; only `happy` may be left out.
///
/// ```text
/// pub lifecycle Stay, AnyStay as "stay" with ids "stay" {
///                           // The typestate struct and the enum of all its statuses; the lifecycle's name in stores; the prefix
///                           // of its ids. No name and no prefix of the crate's own: `order` and `ord`, `payin` and `pi`, …
///     version 1;            // Of the form of its events. A log with a later one is refused, not guessed at.
///     facts Guest;          // What is known in every status: `Facts` says who plays which role, and whom it concerns.
///     opening Asked;        // What it is opened with, the first event of its log: `Opening`.
///     initial Open;         // Its first status, whose struct has a `Default`.
///     happy Open -> Over;   // The way that diagrams draw straight.
///     statuses {
///         /// What it means, in a sentence with a full stop.
///         Open = "open" | "OPEN", Nothing;        // Its struct; its name in stores, and others that are read for it; what is held.
///     }
///     edges {
///         /// What it does.
///         leave(why: Prose) => Leave records Left {
///                           // The method of a status and what it takes; its name among the actions and commands; its event.
///                           // `=> Leave calls leave_now records Left` when a command is to call another method.
///             /// When, or on which condition.
///             Open | Late -> Over | Gone by GUEST | HOTEL, Keep, Own;
///                           // From each of these to one of those, by any of these roles, what becomes of the money, and where
///                           // that is from. An action may have several such lines.
///         }
///     }
///     notes {               // What is written down without a change of status. It is there though nothing is in it.
///         count(guests: u8) => Count records Counted {
///             Open | Late by HOTEL, Keep, Own;
///         }
///     }
///     commands Command;     // The enum of all actions with what they take; `Command<'e>` where one of them borrows that long.
/// }
/// ```
///
/// What is held is [`Nothing`, `Funds` or `Either`](crate::lifecycle::Holds); what becomes of it is a
/// [`Flow`](crate::lifecycle::Flow); where a line is from is an [`Origin`](crate::lifecycle::Origin). Roles are
/// [`Role`](crate::party::Role)s by any path. In the same module there has to be `fn ready(&self, Action, &Stamp) -> Result<(), Reason>`
/// of the enum: what the table cannot say about an action being possible now.
///
/// # In an escrow
///
/// An [`Escrow`](crate::escrow::Escrow) [serves](crate::escrow::Escrow::with) whatever says what payments mean to it,
/// an [`Agreement`](crate::payment::Agreement). One that opens none has little to say:
///
/// ```
/// # use escrowed::lifecycle::{Effects, Facts, Opening, Reason, Refused, Takes, Transition};
/// # use escrowed::money::{Currency, Money};
/// # use escrowed::party::{Actor, PartyId, Role, Stamp};
/// # use serde::{Deserialize, Serialize};
/// # const GUEST: Role = Role::party("guest");
/// # escrowed::lifecycle! {
/// #     /// A night in a hotel.
/// #     pub lifecycle Stay, AnyStay as "stay" with ids "stay" {
/// #         version 1; facts Guest; opening Asked; initial Open;
/// #         statuses {
/// #             /// The room is held.
/// #             Open = "open", Nothing;
/// #             /// The guest slept there.
/// #             Over = "over", Nothing;
/// #         }
/// #         edges { check_out => CheckOut records Left { Open -> Over by GUEST, Keep, Own; } }
/// #         notes {}
/// #         commands Command;
/// #     }
/// # }
/// # #[derive(Debug, Default)] pub struct Open;
/// # #[derive(Debug)] pub struct Over;
/// # #[derive(Debug)] pub struct Guest(PartyId);
/// # #[derive(Debug, Clone, Serialize, Deserialize)] pub struct Asked { guest: PartyId }
/// # #[derive(Debug, Clone, Serialize, Deserialize)] pub struct Left;
/// # impl Facts for Guest {
/// #     fn plays(&self, role: Role, who: &PartyId) -> bool { role == GUEST && *who == self.0 }
/// #     fn parties(&self) -> Vec<PartyId> { vec![self.0.clone()] }
/// # }
/// # impl Opening<AnyStay> for Asked {
/// #     fn check(&self, _: &mut Effects<'_>) -> Result<(), Reason> { Ok(()) }
/// #     fn held(&self) -> Money { Money::zero(Currency::EUR) }
/// #     fn facts(self, _: &Stamp) -> Guest { Guest(self.guest) }
/// # }
/// # impl Takes<Left> for Stay<Open> {
/// #     type Next = Stay<Over>;
/// #     fn check(&self, _: &Left, _: &mut Effects<'_>) -> Result<(), Reason> { Ok(()) }
/// #     fn make(self, _: Left, _: &Stamp) -> Stay<Over> { self.enter(Over) }
/// # }
/// # impl Stay<Open> {
/// #     pub fn ask(id: StayId, asked: Asked, at: &Stamp) -> Result<Transition<Stay<Open>>, Refused<Asked>> { Stay::opened(id, asked, at) }
/// #     pub fn check_out(self, at: &Stamp) -> Result<Transition<Stay<Over>>, Refused<Self>> { self.take(Left, at) }
/// # }
/// # impl AnyStay { fn ready(&self, _: Action, _: &Stamp) -> Result<(), Reason> { Ok(()) } }
/// # pub type StayId = escrowed::id::Id<AnyStay>;
/// # futures_lite::future::block_on(async {
/// use escrowed::payment::{Agreement, Evidence, Learned, PayinId};
/// use escrowed::{escrow::Escrow, memory::Memory, sandbox::Sandbox, store::Store};
///
/// impl Agreement for AnyStay {
///     fn wants(&self, _: PayinId) -> bool { false }
///     fn learn(self, _: &Evidence<'_>, _: &Stamp) -> Result<Learned<Self>, Refused<Self>> { Ok(Learned::Nothing(self)) }
/// }
///
/// let escrow = Escrow::new(Memory::new(), Sandbox::new(7)).with::<AnyStay>();
/// let (guest, mut unit): (PartyId, _) = ("anna".parse()?, escrow.store().begin().await?);
/// let anna = Actor::Party(guest.clone());
/// let stay = escrow.open(&mut unit, Stay::ask, Asked { guest }, anna.clone()).await?;
/// let stay = escrow.act(&mut unit, stay.id(), Command::CheckOut {}, anna).await?;
/// assert_eq!(stay.status(), Status::Over);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[macro_export]
macro_rules! lifecycle {
    (
        $(#[doc = $doc:literal])*
        $vis:vis lifecycle $Value:ident, $Any:ident as $name:literal with ids $prefix:literal {
            version $version:literal;
            facts $Facts:ty;
            opening $Opening:ty;
            initial $Initial:ident;
            $( happy $($Happy:ident)->+; )?
            statuses { $($statuses:tt)+ }
            edges { $(
                $(#[doc = $adoc:literal])*
                $action:ident $( ( $($args:tt)* ) )? => $Action:ident $(calls $call:ident)? records $Event:ty { $($arms:tt)+ }
            )+ }
            notes { $(
                $(#[doc = $ndoc:literal])*
                $note:ident $( ( $($nargs:tt)* ) )? => $Note:ident $(calls $ncall:ident)? records $NEvent:ty { $($narms:tt)+ }
            )* }
            commands $Command:ident $(<$life:lifetime>)?;
        }
    ) => {
        // The arguments of an action are needed twice: as fields of its command, and as one group to call with.
        $crate::__lifecycle! {
            $(#[doc = $doc])*
            $vis lifecycle $Value, $Any as $name with ids $prefix {
                version $version;
                facts $Facts;
                opening $Opening;
                initial $Initial;
                happy $( $($Happy)->+ )?;
                statuses { $($statuses)+ }
                edges { $(
                    $(#[doc = $adoc])*
                    $action ( $( $($args)* )? ) ( $( $($args)* )? ) [$($call)? $action] => $Action records $Event { $($arms)+ }
                )+ }
                notes { $(
                    $(#[doc = $ndoc])*
                    $note ( $( $($nargs)* )? ) ( $( $($nargs)* )? ) [$($ncall)? $note] => $Note records $NEvent { $($narms)+ }
                )* }
                commands $Command $(<$life>)?;
            }
        }
    };
}
