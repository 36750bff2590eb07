//! What Jinja2 draws by chance: the filter `random`, and the text that `lipsum` makes up. The host
//! draws; what is drawn differs from Jinja2's as two drawings do.

#![expect(
    clippy::needless_pass_by_value,
    reason = "minijinja hands its arguments over by value"
)]

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value as Jinja};

use super::filters::{bad, escape, options};

type Result<T> = std::result::Result<T, Error>;

/// The name under which a program finds the host's chance. No template can name it.
pub(super) const DRAW: &str = " random";

/// The most words that one call of `lipsum` makes up.
const WORDS_MAX: i64 = 100_000;

/// What `lipsum` is made of.
const WORDS: [&str; 32] = [
    "ad",
    "adipiscing",
    "aliqua",
    "amet",
    "aute",
    "commodo",
    "consectetur",
    "culpa",
    "cupidatat",
    "dolor",
    "dolore",
    "duis",
    "eiusmod",
    "elit",
    "enim",
    "esse",
    "est",
    "et",
    "fugiat",
    "in",
    "ipsum",
    "irure",
    "labore",
    "lorem",
    "magna",
    "minim",
    "nisi",
    "nulla",
    "quis",
    "sed",
    "tempor",
    "veniam",
];

/// Adds them.
pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("random", one_of);
    environment.add_function("lipsum", lipsum);
}

/// A number from 0 up to 1 that the host draws.
fn draw(state: &mut State<'_, '_>) -> Result<f64> {
    let Some(chance) = state.lookup(DRAW) else {
        return Err(bad("nothing is drawn by chance within a macro"));
    };
    let drawn = f64::try_from(chance.call(state, &[])?)?;
    Ok(drawn.clamp(0.0, 1.0))
}

/// One of so many, by a number from 0 up to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the result is clamped to the range"
)]
fn place(chance: f64, count: usize) -> usize {
    ((chance * count as f64) as usize).min(count.saturating_sub(1))
}

/// One of the items of a list or the characters of a text; of none, what is undefined.
fn one_of(state: &mut State<'_, '_>, value: &Jinja) -> Result<Jinja> {
    let items: Vec<Jinja> = match value.kind() {
        ValueKind::Undefined => return Err(ErrorKind::UndefinedError.into()),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            text.chars().map(|c| Jinja::from(c.to_string())).collect()
        }
        ValueKind::Seq => value.try_iter()?.collect(),
        ValueKind::Iterable if value.len().is_some() => value.try_iter()?.collect(),
        ValueKind::Map if value.len() == Some(0) => Vec::new(),
        kind => return Err(bad(format!("random takes a list or a text, not a {kind}"))),
    };
    if items.is_empty() {
        return Ok(Jinja::UNDEFINED);
    }
    let at = place(draw(state)?, items.len());
    Ok(items[at].clone())
}

/// Paragraphs of made-up text: how many, whether as HTML, and between how many words each has.
fn lipsum(state: &mut State<'_, '_>, given: Rest<Jinja>, keyed: Kwargs) -> Result<String> {
    let [count, html, min, max] = options(&given, &keyed, ["n", "html", "min", "max"])?;
    let number = |value: Option<Jinja>, default: i64| value.map_or(Ok(default), i64::try_from);
    let (count, min, max) = (
        number(count, 5)?.max(0),
        number(min, 20)?,
        number(max, 100)?,
    );
    let is_html = html.is_none_or(|html| html.is_true());
    if count == 0 {
        return Ok(String::new());
    }
    if min >= max {
        return Err(bad("lipsum needs a `min` below its `max`"));
    }
    if count.saturating_mul(max) > WORDS_MAX {
        return Err(bad(format!("lipsum makes up at most {WORDS_MAX} words")));
    }
    let mut dice = Dice(draw(state)?.to_bits());
    let paragraphs = (0..count).map(|_| {
        let words = usize::try_from(min + dice.below(max - min)).unwrap_or(0);
        let text = paragraph(&mut dice, words);
        if is_html {
            format!("<p>{}</p>", escape(&text))
        } else {
            text
        }
    });
    let between = if is_html { "\n" } else { "\n\n" };
    Ok(paragraphs.collect::<Vec<_>>().join(between))
}

/// Sentences of so many words in all.
fn paragraph(dice: &mut Dice, words: usize) -> String {
    let mut out = String::new();
    let (mut to_comma, mut to_stop) = (dice.below(5) + 3, dice.below(10) + 10);
    let mut begins = true;
    for left in (0..words).rev() {
        let drawn = usize::try_from(dice.below(i64::MAX)).unwrap_or(0);
        let word = WORDS[drawn % WORDS.len()];
        if begins {
            out.push_str(&word[..1].to_uppercase());
            out.push_str(&word[1..]);
        } else {
            out.push_str(word);
        }
        (to_comma, to_stop) = (to_comma - 1, to_stop - 1);
        begins = to_stop <= 0 || left == 0;
        if begins {
            out.push('.');
            (to_comma, to_stop) = (dice.below(5) + 3, dice.below(10) + 10);
        } else if to_comma <= 0 {
            out.push(',');
            to_comma = dice.below(5) + 3;
        }
        if left > 0 {
            out.push(' ');
        }
    }
    out
}

/// Numbers that follow from the one that the host drew.
struct Dice(u64);

impl Dice {
    /// A number from 0 up to a positive limit.
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        i64::try_from((mixed >> 1) % limit.unsigned_abs().max(1)).unwrap_or(0)
    }
}
