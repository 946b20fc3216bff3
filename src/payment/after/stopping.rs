//! What holds money that is charged back stops: the steps of that, for each lifecycle.

/// Says where something that holds money stops when some of it is charged back: there it waits until the dispute is decided,
/// has the money again, or ends as `$Ended` with nothing left. The two expressions on the facts keep what was paid by each
/// payin; the last one makes the end of it.
macro_rules! stops_when_charged_back {
    (
        $Value:ident, $Any:ident: $Stopped:ident;
        |$facts:ident, $payin:ident, $amount:ident| $lost:expr, $won:expr;
        $Ended:ident; |$stopped:ident| $ended:expr
    ) => {
        /// A status that holds money which may be charged back.
        pub trait Exposed {
            /// The status it stops in, for a reason.
            #[doc(hidden)]
            fn stop(self, reason: &$crate::text::Prose) -> $Stopped;
        }

        impl<S: Exposed> $Value<S>
        where
            Self: $crate::lifecycle::Value<Any = $Any>,
        {
            /// The card network took some of what is held: it stops.
            ///
            /// # Errors
            /// [`Refused`](crate::lifecycle::Refused) when the chargeback is another's, was counted before, or took nothing
            /// or all of what is held.
            pub fn charge_back(
                self,
                chargeback: &$crate::payment::Chargeback<$crate::payment::chargeback::Open>,
                at: &$crate::party::Stamp,
            ) -> Result<$crate::lifecycle::Transition<$Value<$Stopped>>, $crate::lifecycle::Refused<Self>> {
                let event = $crate::payment::After::ChargedBack(chargeback)
                    .told_to(self.id().subject())
                    .map(|what| $crate::payment::PartTaken { what });
                self.take_if(event, at)
            }

            /// The card network took all that is held: it stops.
            ///
            /// # Errors
            /// [`Refused`](crate::lifecycle::Refused) when the chargeback is another's, was counted before, or took less.
            pub fn charge_back_all(
                self,
                chargeback: &$crate::payment::Chargeback<$crate::payment::chargeback::Open>,
                at: &$crate::party::Stamp,
            ) -> Result<$crate::lifecycle::Transition<$Value<$Stopped>>, $crate::lifecycle::Refused<Self>> {
                let event = $crate::payment::After::ChargedBack(chargeback)
                    .told_to(self.id().subject())
                    .map(|what| $crate::payment::AllTaken { what });
                self.take_if(event, at)
            }

            // By whichever of the two it is.
            pub(super) fn charged_back(
                self,
                chargeback: &$crate::payment::Chargeback<$crate::payment::chargeback::Open>,
                at: &$crate::party::Stamp,
            ) -> Result<$crate::lifecycle::Transition<$Value<$Stopped>>, $crate::lifecycle::Refused<Self>> {
                if chargeback.facts().held == self.held() {
                    self.charge_back_all(chargeback, at)
                } else {
                    self.charge_back(chargeback, at)
                }
            }

            fn lose(
                &self,
                what: &$crate::payment::Afterwards,
                step: &mut $crate::lifecycle::Effects<'_>,
            ) -> Result<(), $crate::lifecycle::Reason> {
                self.facts().aftermath.may_note(what)?;
                let loss = what.loss();
                let loss = loss.ok_or($crate::lifecycle::Reason::Missing { what: "what was taken out of escrow" })?;
                let to = $crate::ledger::Account::Escrow(loss.chargeback.subject());
                step.pay(to, loss.held, $crate::ledger::Purpose::Chargeback)
            }

            fn stopped(mut self, what: $crate::payment::Afterwards) -> $Value<$Stopped> {
                let Some($crate::payment::Loss { payin: $payin, held: $amount, reason, .. }) = what.loss() else {
                    unreachable!("`lose` has looked for it")
                };
                let $facts = &mut *self.head.facts;
                $lost;
                let state = self.state.stop(reason);
                self.head.facts.aftermath.note(what.clone());
                $Value { head: self.head, state }
            }
        }

        impl<S: Exposed> $crate::lifecycle::Takes<$crate::payment::PartTaken> for $Value<S>
        where
            Self: $crate::lifecycle::Value<Any = $Any>,
        {
            type Next = $Value<$Stopped>;
            fn check(
                &self,
                event: &$crate::payment::PartTaken,
                step: &mut $crate::lifecycle::Effects<'_>,
            ) -> Result<(), $crate::lifecycle::Reason> {
                self.lose(&event.what, step)
            }
            fn make(self, event: $crate::payment::PartTaken, _: &$crate::party::Stamp) -> Self::Next {
                self.stopped(event.what)
            }
        }

        impl<S: Exposed> $crate::lifecycle::Takes<$crate::payment::AllTaken> for $Value<S>
        where
            Self: $crate::lifecycle::Value<Any = $Any>,
        {
            type Next = $Value<$Stopped>;
            fn check(
                &self,
                event: &$crate::payment::AllTaken,
                step: &mut $crate::lifecycle::Effects<'_>,
            ) -> Result<(), $crate::lifecycle::Reason> {
                self.lose(&event.what, step)
            }
            fn make(self, event: $crate::payment::AllTaken, _: &$crate::party::Stamp) -> Self::Next {
                self.stopped(event.what)
            }
        }

        impl $Value<$Stopped> {
            /// What was held and charged back is there again.
            ///
            /// # Errors
            /// [`Refused`](crate::lifecycle::Refused) when the chargeback is another's, or did not take anything from here.
            pub fn regain(
                self,
                chargeback: &$crate::payment::Chargeback<$crate::payment::chargeback::Won>,
                at: &$crate::party::Stamp,
            ) -> Result<$crate::lifecycle::Transition<Self>, $crate::lifecycle::Refused<Self>> {
                let event = $crate::payment::After::ChargebackWon(chargeback)
                    .told_to(self.id().subject())
                    .map(|what| $crate::payment::Regained { what });
                self.take_if(event, at)
            }
        }

        impl $crate::lifecycle::Takes<$crate::payment::Regained> for $Value<$Stopped> {
            type Next = Self;
            fn check(
                &self,
                event: &$crate::payment::Regained,
                step: &mut $crate::lifecycle::Effects<'_>,
            ) -> Result<(), $crate::lifecycle::Reason> {
                let aftermath = &self.facts().aftermath;
                aftermath.may_note(&event.what)?;
                let won = aftermath.won(&event.what);
                let won = won.ok_or($crate::lifecycle::Reason::Missing { what: "what was taken out of escrow" })?;
                step.count_in(won.held)
            }
            fn make(mut self, event: $crate::payment::Regained, _: &$crate::party::Stamp) -> Self {
                let won = self.facts().aftermath.won(&event.what).map(|loss| (loss.payin, loss.held));
                if let Some(($payin, $amount)) = won {
                    let $facts = &mut *self.head.facts;
                    $won;
                }
                self.head.facts.aftermath.note(event.what);
                self
            }
        }

        impl $Value<$Stopped> {
            /// Ends it with nothing left, because all that it held was charged back for good.
            ///
            /// # Errors
            /// [`Refused`](crate::lifecycle::Refused) while something is left, out or not decided, or after an award.
            pub fn close(
                self,
                at: &$crate::party::Stamp,
            ) -> Result<$crate::lifecycle::Transition<$Value<$Ended>>, $crate::lifecycle::Refused<Self>> {
                self.take($crate::payment::Closed {}, at)
            }
        }

        impl $crate::lifecycle::Takes<$crate::payment::Closed> for $Value<$Stopped> {
            type Next = $Value<$Ended>;
            fn check(
                &self,
                _: &$crate::payment::Closed,
                _: &mut $crate::lifecycle::Effects<'_>,
            ) -> Result<(), $crate::lifecycle::Reason> {
                self.may_close()
            }
            fn make(self, _: $crate::payment::Closed, _: &$crate::party::Stamp) -> Self::Next {
                let $stopped = self;
                $ended
            }
        }
    };
}

pub(crate) use stops_when_charged_back;
