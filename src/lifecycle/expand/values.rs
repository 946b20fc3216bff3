//! The values of a lifecycle: one type for each status, the enum of all, and what the kernel asks of them.

/// The second part of what [`lifecycle!`](crate::lifecycle!) writes.
#[doc(hidden)]
#[macro_export]
macro_rules! __lifecycle_values {
    (
        $(#[doc = $doc:literal])*
        $vis:vis lifecycle $Value:ident, $Any:ident as $name:literal with ids $prefix:literal {
            version $version:literal;
            facts $Facts:ty;
            opening $Opening:ty;
            initial $Initial:ident;
            happy $($Happy:ident)->*;
            statuses { $( $(#[doc = $sdoc:literal])+ $Status:ident = $sname:literal $(| $alias:literal)*, $holds:ident; )+ }
            edges { $(
                $(#[doc = $adoc:literal])*
                $action:ident ( $($arg:ident : $argty:ty),* $(,)? ) $args:tt $call:tt => $Action:ident records $Event:ty {
                    $( $(#[doc = $edoc:literal])* $($from:ident)|+ -> $($to:ident)|+ by $($by:path)|+, $flow:ident, $origin:ident; )+
                }
            )+ }
            notes { $(
                $(#[doc = $ndoc:literal])*
                $note:ident ( $($narg:ident : $nargty:ty),* $(,)? ) $nargs:tt $ncall:tt => $Note:ident records $NEvent:ty {
                    $( $(#[doc = $nedoc:literal])* $($nat:ident)|+ by $($nby:path)|+, $nflow:ident, $norigin:ident; )+
                }
            )* }
            commands $Command:ident $(<$life:lifetime>)?;
        }
    ) => {
        $(#[doc = $doc])*
        ///
        /// A value of one status, which only the lifecycle's own steps can make: it cannot be cloned, deserialised or
        /// built from outside.
        $vis struct $Value<S> {
            head: ::std::boxed::Box<$crate::lifecycle::Head<$Any>>,
            state: S,
        }

        /// A value of any status: what is loaded from a store.
        #[derive(Debug)]
        $vis enum $Any { $( $(#[doc = $sdoc])+ $Status($Value<$Status>), )+ }

        impl $Any {
            /// The status it is in.
            #[must_use]
            pub const fn status(&self) -> Status {
                match self { $( Self::$Status(_) => Status::$Status, )+ }
            }

            /// Its id.
            #[must_use]
            pub const fn id(&self) -> $crate::id::Id<Self> {
                self.carried().id()
            }

            /// What is known in every status.
            #[must_use]
            pub const fn facts(&self) -> &$Facts {
                self.carried().facts()
            }

            /// What its escrow account holds, in minor units.
            #[must_use]
            pub const fn held(&self) -> $crate::money::Money {
                self.carried().held()
            }

            /// When the clock acts on it (UTC), if it will.
            #[must_use]
            pub const fn deadline(&self) -> ::core::option::Option<$crate::time::Timestamp> {
                self.carried().deadline
            }

            /// Which status was reached when and by whom.
            #[must_use]
            pub const fn history(&self) -> &$crate::lifecycle::History<Status> {
                self.carried().history()
            }

            const fn carried(&self) -> &$crate::lifecycle::Head<Self> {
                match self { $( Self::$Status(value) => &value.head, )+ }
            }

            /// Which action an actor may take now, or the reason why not. Looks at everything but the data of the
            /// command, which only [`handle`](Self::handle) sees.
            ///
            /// # Errors
            /// [`Reason`]($crate::lifecycle::Reason) as `handle` would give it.
            pub fn may(&self, action: Action, at: &$crate::party::Stamp) -> ::core::result::Result<(), $crate::lifecycle::Reason> {
                $crate::lifecycle::may(self, action as usize, at)?;
                self.ready(action, at)
            }

            /// What an actor may do now: what a screen may offer.
            pub fn actions(&self, at: &$crate::party::Stamp) -> impl ::core::iter::Iterator<Item = Action> {
                Action::ALL.iter().copied().filter(move |action| self.may(*action, at).is_ok())
            }

            /// Does what a command says, whatever the status.
            ///
            /// # Errors
            /// [`Refused`]($crate::lifecycle::Refused) with the value as it was and the reason.
            #[allow(clippy::too_many_lines, unreachable_patterns, reason = "one arm per edge of the table, of which several may be for one action in one status")]
            pub fn handle $(<$life>)? (
                self,
                command: $Command $(<$life>)?,
                at: &$crate::party::Stamp,
            ) -> ::core::result::Result<$crate::lifecycle::Transition<Self>, $crate::lifecycle::Refused<Self>> {
                // The table has the first word, then come the lifecycle's own conditions, then the step itself.
                let ready = self.ready(command.action(), at);
                match command {
                    $( $Command::$Action { $($arg),* } => match self {
                        $( $( Self::$from(value) => $crate::__handle!(value, $Event, ready, $call, at, $args), )+ )+
                        other => Err($crate::lifecycle::Refused::wrong_status(other, Action::$Action as usize)),
                    }, )+
                    $( $Command::$Note { $($narg),* } => match self {
                        $( $( Self::$nat(value) => $crate::__handle!(value, $NEvent, ready, $ncall, at, $nargs), )+ )+
                        other => Err($crate::lifecycle::Refused::wrong_status(other, Action::$Note as usize)),
                    }, )*
                }
            }
        }

        // Evidence is written as what it is evidence of: its id.
        impl<S> $crate::__private::Serialize for $Value<S> {
            fn serialize<Z: $crate::__private::Serializer>(&self, serializer: Z) -> ::core::result::Result<Z::Ok, Z::Error> {
                $crate::__private::Serialize::serialize(&self.head.id().subject(), serializer)
            }
        }

        impl<S> $Value<S> {
            /// Its id.
            #[must_use]
            pub const fn id(&self) -> $crate::id::Id<$Any> {
                self.head.id()
            }

            /// What only this status knows.
            #[must_use]
            pub const fn state(&self) -> &S {
                &self.state
            }

            /// What is known in every status.
            #[must_use]
            pub const fn facts(&self) -> &$Facts {
                self.head.facts()
            }

            /// What its escrow account holds, in minor units.
            #[must_use]
            pub const fn held(&self) -> $crate::money::Money {
                self.head.held()
            }

            /// When the clock acts on it (UTC), if it will.
            #[must_use]
            pub const fn deadline(&self) -> ::core::option::Option<$crate::time::Timestamp> {
                self.head.deadline
            }

            /// Which status was reached when and by whom.
            #[must_use]
            pub const fn history(&self) -> &$crate::lifecycle::History<Status> {
                self.head.history()
            }

            // The next value: the same head, another state.
            #[allow(dead_code, reason = "a lifecycle may have one status")]
            fn enter<T>(self, state: T) -> $Value<T> {
                $Value { head: self.head, state }
            }

            // Takes the step of an event that may turn out to be impossible.
            #[allow(dead_code, reason = "a lifecycle may have no such event")]
            fn take_if<E>(
                self,
                event: ::core::result::Result<E, $crate::lifecycle::Reason>,
                at: &$crate::party::Stamp,
            ) -> ::core::result::Result<
                $crate::lifecycle::Transition<<Self as $crate::lifecycle::Takes<E>>::Next>,
                $crate::lifecycle::Refused<Self>,
            >
            where
                Self: $crate::lifecycle::Takes<E> + $crate::lifecycle::Value<Any = $Any>,
                E: $crate::lifecycle::Recorded<$Any>,
            {
                match event {
                    ::core::result::Result::Ok(event) => self.take(event, at),
                    ::core::result::Result::Err(reason) => {
                        ::core::result::Result::Err($crate::lifecycle::Refused { value: self, reason })
                    }
                }
            }

            // Takes a step; the only way to one.
            fn take<E>(
                self,
                event: E,
                at: &$crate::party::Stamp,
            ) -> ::core::result::Result<
                $crate::lifecycle::Transition<<Self as $crate::lifecycle::Takes<E>>::Next>,
                $crate::lifecycle::Refused<Self>,
            >
            where
                Self: $crate::lifecycle::Takes<E> + $crate::lifecycle::Value<Any = $Any>,
                E: $crate::lifecycle::Recorded<$Any>,
            {
                $crate::lifecycle::take(self, event, at, Seal(()))
            }
        }

        impl $Value<$Initial> {
            // Opens one; the only way to a first status.
            fn opened(
                id: $crate::id::Id<$Any>,
                opening: $Opening,
                at: &$crate::party::Stamp,
            ) -> ::core::result::Result<$crate::lifecycle::Transition<Self>, $crate::lifecycle::Refused<$Opening>> {
                $crate::lifecycle::open(id, opening, at, Seal(()))
            }
        }

        impl<S> $Value<S>
        where
            Self: $crate::lifecycle::Value,
        {
            /// The status it is in.
            #[must_use]
            pub fn status(&self) -> Status {
                Status::ALL[$crate::lifecycle::Value::position(self)]
            }
        }

        impl<S: ::core::fmt::Debug> ::core::fmt::Debug for $Value<S> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(::core::stringify!($Value)).field("head", &self.head).field("state", &self.state).finish()
            }
        }

        $(
            impl $crate::lifecycle::Value for $Value<$Status> {
                type Any = $Any;
                const STATUS: ::core::option::Option<usize> = ::core::option::Option::Some(Status::$Status as usize);
                fn head(&self) -> &$crate::lifecycle::Head<$Any> {
                    &self.head
                }
                fn head_mut(&mut self, _: &$crate::lifecycle::Kernel<$Any>) -> &mut $crate::lifecycle::Head<$Any> {
                    &mut self.head
                }
                fn position(&self) -> usize {
                    Status::$Status as usize
                }
                fn widen(self) -> $Any {
                    $Any::$Status(self)
                }
                fn among(any: &$Any) -> ::core::option::Option<&Self> {
                    match any {
                        $Any::$Status(value) => ::core::option::Option::Some(value),
                        #[allow(unreachable_patterns, reason = "a lifecycle may have one status")]
                        _ => ::core::option::Option::None,
                    }
                }
            }

            impl ::core::convert::From<$Value<$Status>> for $Any {
                fn from(value: $Value<$Status>) -> Self {
                    Self::$Status(value)
                }
            }

            impl ::core::convert::TryFrom<$Any> for $Value<$Status> {
                /// The value, which is in another status.
                type Error = $Any;
                fn try_from(any: $Any) -> ::core::result::Result<Self, $Any> {
                    match any {
                        $Any::$Status(value) => ::core::result::Result::Ok(value),
                        #[allow(unreachable_patterns, reason = "a lifecycle may have one status")]
                        other => ::core::result::Result::Err(other),
                    }
                }
            }
        )+

        impl $crate::lifecycle::Value for $Any {
            type Any = Self;
            const STATUS: ::core::option::Option<usize> = ::core::option::Option::None;
            fn head(&self) -> &$crate::lifecycle::Head<Self> {
                self.carried()
            }
            fn head_mut(&mut self, _: &$crate::lifecycle::Kernel<$Any>) -> &mut $crate::lifecycle::Head<Self> {
                match self { $( Self::$Status(value) => &mut value.head, )+ }
            }
            fn position(&self) -> usize {
                self.status() as usize
            }
            fn widen(self) -> Self {
                self
            }
            fn among(any: &Self) -> ::core::option::Option<&Self> {
                ::core::option::Option::Some(any)
            }
        }

        impl $crate::id::Identified for $Any {
            const KIND: $crate::id::Kind = $crate::id::Kind::new($prefix);
        }

        impl $crate::lifecycle::Lifecycle for $Any {
            const TABLE: &'static $crate::lifecycle::Table = &TABLE;
            const VERSION: u16 = $version;
            type Status = Status;
            type Facts = $Facts;
            type Opening = $Opening;
            type Event = Event;
            type Seal = Seal;
            $crate::__command!($Command $($life)?);

            fn handle(
                self,
                command: Self::Command<'_>,
                at: &$crate::party::Stamp,
            ) -> ::core::result::Result<$crate::lifecycle::Transition<Self>, $crate::lifecycle::Refused<Self>> {
                self.handle(command, at)
            }
            fn status_at(position: usize) -> Status {
                Status::ALL[position]
            }
            fn begin(_: &$crate::lifecycle::Kernel<$Any>, head: $crate::lifecycle::Head<Self>) -> Self {
                Self::$Initial($Value { head: ::std::boxed::Box::new(head), state: $Initial::default() })
            }
            fn decode(
                name: &str,
                body: &str,
            ) -> ::core::option::Option<::core::result::Result<Event, $crate::__private::JsonError>> {
                $( if name == ::core::stringify!($action) {
                    return ::core::option::Option::Some($crate::__private::from_str(body).map(Event::$Action));
                } )+
                $( if name == ::core::stringify!($note) {
                    return ::core::option::Option::Some($crate::__private::from_str(body).map(Event::$Note));
                } )*
                ::core::option::Option::None
            }
            #[allow(clippy::too_many_lines, unreachable_patterns, reason = "one arm per edge of the table, of which several may be for one action in one status")]
            fn redo(
                self,
                kernel: &$crate::lifecycle::Kernel<$Any>,
                event: Event,
                at: &$crate::party::Stamp,
            ) -> ::core::result::Result<Self, $crate::lifecycle::Reason> {
                match event {
                    $( Event::$Action(event) => match self {
                        $( $( Self::$from(value) => $crate::lifecycle::redo(value, event, at, kernel), )+ )+
                        other => Err($crate::lifecycle::Refused::wrong_status(other, Action::$Action as usize).reason),
                    }, )+
                    $( Event::$Note(event) => match self {
                        $( $( Self::$nat(value) => $crate::lifecycle::redo(value, event, at, kernel), )+ )+
                        other => Err($crate::lifecycle::Refused::wrong_status(other, Action::$Note as usize).reason),
                    }, )*
                }
            }
        }

        $( impl $crate::lifecycle::Recorded<$Any> for $Event {
            const ACTION: usize = Action::$Action as usize;
        } )+
        $( impl $crate::lifecycle::Recorded<$Any> for $NEvent {
            const ACTION: usize = Action::$Note as usize;
        } )*
    };
}

/// The type of a lifecycle's commands, which may borrow evidence or not.
#[doc(hidden)]
#[macro_export]
macro_rules! __command {
    ($Command:ident) => {
        type Command<'c> = $Command;
    };
    ($Command:ident $life:lifetime) => {
        type Command<$life> = $Command<$life>;
    };
}

/// Calls the method of an edge's name, or the one it names instead, and makes its answer the enum of all statuses.
#[doc(hidden)]
#[macro_export]
macro_rules! __handle {
    (
        $value:ident, $Event:ty, $ready:ident, [$method:ident $($action:ident)?], $at:ident,
        ( $($arg:ident : $argty:ty),* $(,)? )
    ) => {
        if let Err(reason) = $crate::lifecycle::may_take::<_, $Event>(&$value, $at) {
            Err($crate::lifecycle::Refused { value: $crate::lifecycle::Value::widen($value), reason })
        } else if let Err(reason) = $ready {
            Err($crate::lifecycle::Refused { value: $crate::lifecycle::Value::widen($value), reason })
        } else {
            match $value.$method($($arg,)* $at) {
                Ok(transition) => Ok(transition.widen()),
                Err(refused) => Err(refused.map($crate::lifecycle::Value::widen)),
            }
        }
    };
}
