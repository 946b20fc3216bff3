//! The names of a lifecycle: its table, and the enums of statuses, actions, events and commands.

/// The first part of what [`lifecycle!`](crate::lifecycle!) writes.
#[doc(hidden)]
#[macro_export]
macro_rules! __lifecycle_names {
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
        /// The statuses.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, $crate::__private::Serialize, $crate::__private::Deserialize)]
        #[serde(crate = "escrowed::__private::serde")]
        $vis enum Status { $( $(#[doc = $sdoc])+ #[serde(rename = $sname $(, alias = $alias)*)] $Status, )+ }

        /// The actions: the edges first, then the notes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum Action { $( $(#[doc = $adoc])* $Action, )+ $( $(#[doc = $ndoc])* $Note, )* }

        /// Everything that may happen after the opening.
        #[derive(Debug, Clone)]
        $vis enum Event {
            $( $(#[doc = $adoc])* $Action($Event), )+
            $( $(#[doc = $ndoc])* $Note($NEvent), )*
        }

        /// An action with what it needs, for callers that learn the status at run time. What is done by the gateway or the clock
        /// is done by an [`Escrow`](escrowed::escrow::Escrow) itself, once it is told or due.
        #[derive(Debug, $crate::__private::Serialize)]
        #[serde(crate = "escrowed::__private::serde")]
        $vis enum $Command $(<$life>)? {
            $(
                $(#[doc = $adoc])*
                #[doc = ""]
                $( #[doc = ::core::concat!(
                    "- ", ::core::stringify!($($from)|+), " to ", ::core::stringify!($($to)|+), ", by `", ::core::stringify!($($by)|+), "`"
                )] )+
                $Action { $(
                #[allow(missing_docs, reason = "named like the argument of the method")]
                $arg: $argty
            ),* }, )+
            $(
                $(#[doc = $ndoc])*
                #[doc = ""]
                $( #[doc = ::core::concat!("- ", ::core::stringify!($($nat)|+), ", by `", ::core::stringify!($($nby)|+), "`")] )+
                $Note { $(
                #[allow(missing_docs, reason = "named like the argument of the method")]
                $narg: $nargty
            ),* }, )*
        }

        /// Known to this module only: without it no step can be taken past the methods.
        #[derive(Debug)]
        $vis struct Seal(());

        /// The table of the lifecycle, from which all of this comes.
        $vis const TABLE: $crate::lifecycle::Table = $crate::lifecycle::Table {
            name: $name,
            statuses: &[ $( $crate::lifecycle::StatusRow {
                name: $sname,
                says: ::core::concat!($($sdoc),+).trim_ascii(),
                holds: $crate::lifecycle::Holds::$holds,
            }, )+ ],
            actions: &[ $( ::core::stringify!($action), )+ $( ::core::stringify!($note), )* ],
            initial: Status::$Initial as usize,
            happy: &[ $( Status::$Happy as usize ),* ],
            edges: &[ $( $( $crate::lifecycle::Edge {
                action: Action::$Action as usize,
                from: &[ $( Status::$from as usize ),+ ],
                to: &[ $( Status::$to as usize ),+ ],
                by: &[ $( $by ),+ ],
                money: $crate::lifecycle::Flow::$flow,
                origin: $crate::lifecycle::Origin::$origin,
                says: ::core::concat!($($edoc),*).trim_ascii(),
            }, )+ )+ ],
            notes: &[ $( $( $crate::lifecycle::Edge {
                action: Action::$Note as usize,
                from: &[ $( Status::$nat as usize ),+ ],
                to: &[],
                by: &[ $( $nby ),+ ],
                money: $crate::lifecycle::Flow::$nflow,
                origin: $crate::lifecycle::Origin::$norigin,
                says: ::core::concat!($($nedoc),*).trim_ascii(),
            }, )+ )* ],
        };

        const _: () = TABLE.check();
        const _: () = TABLE.check_names(::core::module_path!(), $prefix);

        impl Status {
            /// Every status, in the order of the table.
            pub const ALL: &'static [Self] = &[ $( Self::$Status ),+ ];

            /// Its name as it is written in JSON and stores.
            #[must_use]
            pub const fn name(self) -> &'static str {
                TABLE.statuses[self as usize].name
            }
        }

        impl Action {
            /// Every action, edges first.
            pub const ALL: &'static [Self] = &[ $( Self::$Action, )+ $( Self::$Note, )* ];

            /// Its name in tables and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                TABLE.actions[self as usize]
            }
        }

        impl $(<$life>)? $Command $(<$life>)? {
            /// Which action it asks for.
            #[must_use]
            pub const fn action(&self) -> Action {
                match self {
                    $( Self::$Action { .. } => Action::$Action, )+
                    $( Self::$Note { .. } => Action::$Note, )*
                }
            }
        }

        impl ::core::str::FromStr for Status {
            type Err = $crate::lifecycle::UnknownStatus;
            fn from_str(name: &str) -> ::core::result::Result<Self, Self::Err> {
                match name {
                    $( $sname $(| $alias)* => ::core::result::Result::Ok(Self::$Status), )+
                    unknown => ::core::result::Result::Err($crate::lifecycle::UnknownStatus::new(TABLE.name, unknown)),
                }
            }
        }

        impl ::core::fmt::Display for Status {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.name())
            }
        }

        impl ::core::fmt::Display for Action {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}
