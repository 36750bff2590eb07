//! Keeping a fault of the rules to the execution that it met.
//!
//! A panic in the engine leaves its execution in a state that nobody can tell. The lane then gives
//! the batch up, so that what is in memory is what is stored, and ends that execution in ERROR; all
//! others go on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does some work; if it panics, gives what the panic said.
///
/// What the work was changing must not be looked at again after that.
pub(super) fn isolated<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|cause| said(cause.as_ref()))
}

fn said(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<&str>().copied();
    let text = text.or_else(|| cause.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without words").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_told_in_their_words() {
        let number = 7;
        assert_eq!(isolated(|| number + 1), Ok(8));
        let plain = isolated(|| -> u32 { panic!("plain words") });
        let made = isolated(|| -> u32 { panic!("made of {number}") });
        let wordless = isolated(|| -> u32 { std::panic::panic_any(number) });
        for (told, words) in [
            (plain, "plain words"),
            (made, "made of 7"),
            (wordless, "a panic without words"),
        ] {
            assert_eq!(told, Err(words.to_owned()));
        }
    }
}
