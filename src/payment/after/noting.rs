//! The note of what happened behind the back of something, for each lifecycle.

/// Says in which statuses a lifecycle notes what happened to its money, and gives them the note.
macro_rules! notes_after {
    ($Value:ident, $Any:ident: $($Status:ident),+ $(,)?) => {
        /// A status from which money has left: what happens to it afterwards is noted.
        pub trait Left {}
        $( impl Left for $Status {} )+

        impl<S: Left> $Value<S>
        where
            Self: $crate::lifecycle::Value<Any = $Any>,
        {
            /// Notes what happened to money that had left. The status stays.
            ///
            /// # Errors
            /// [`Refused`](crate::lifecycle::Refused) when it is another's, was noted before, does not follow from what
            /// was, or takes or brings money here.
            pub fn note_after(
                self,
                after: $crate::payment::After<'_>,
                at: &$crate::party::Stamp,
            ) -> Result<$crate::lifecycle::Transition<Self>, $crate::lifecycle::Refused<Self>> {
                let event = after.told_to(self.id().subject()).map(|what| $crate::payment::Noted { what });
                self.take_if(event, at)
            }
        }

        impl<S: Left> $crate::lifecycle::Takes<$crate::payment::Noted> for $Value<S>
        where
            Self: $crate::lifecycle::Value<Any = $Any>,
        {
            type Next = Self;
            fn check(
                &self,
                event: &$crate::payment::Noted,
                _: &mut $crate::lifecycle::Effects<'_>,
            ) -> Result<(), $crate::lifecycle::Reason> {
                let aftermath = &self.facts().aftermath;
                if aftermath.moves(&event.what) {
                    return Err($crate::lifecycle::Reason::NotThisWay { instead: "money moves by this: it is lost or regained, not only noted" });
                }
                aftermath.may_note(&event.what)
            }
            fn make(mut self, event: $crate::payment::Noted, _: &$crate::party::Stamp) -> Self {
                self.head.facts.aftermath.note(event.what);
                self
            }
        }
    };
}

pub(crate) use notes_after;
