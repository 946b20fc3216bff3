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
///     pub fn ask(guest: PartyId, at: &Stamp) -> Result<Transition<Stay<Open>>, Refused<Asked>> {
///         Stay::opened(StayId::generate(at.at), Asked { guest }, at)
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
/// let stay = Stay::ask(guest, &at)?;
/// assert_eq!(stay.value().status(), Status::Open);
/// let left = stay.then(|stay| stay.check_out(&at))?;
/// assert_eq!(left.value().state().at, at.at);
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
