//! What may answer a path: an async function of the state and up to three parts of the request.

use super::answer::Answer;
use super::description::Description;
use super::fault::Fault;
use super::input::{Part, Pieces};
use super::state::Control;

/// A handler that takes the parts `I`.
pub(super) trait Handler<I>: Clone + Send + Sync + 'static {
    /// What it gives.
    type Answer: Answer;

    /// Takes the parts out of a request and answers it.
    fn call(
        self,
        control: Control,
        pieces: Pieces,
    ) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;

    /// Says what it takes and gives.
    fn describe(to: &mut Description);
}

macro_rules! handler {
    ($($part:ident: $Part:ident)*) => {
        impl<F, Fut, O, $($Part: Part),*> Handler<($($Part,)*)> for F
        where
            F: Fn(Control, $($Part),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Result<O, Fault>> + Send,
            O: Answer,
        {
            type Answer = O;

            async fn call(self, control: Control, mut pieces: Pieces) -> Result<O, Fault> {
                $(let $part = $Part::take(&mut pieces)?;)*
                pieces.finish()?;
                self(control, $($part),*).await
            }

            fn describe(to: &mut Description) {
                $($Part::describe(to);)*
                O::describe(to);
            }
        }
    };
}

handler!();
handler!(a: A);
handler!(a: A b: B);
handler!(a: A b: B c: C);
