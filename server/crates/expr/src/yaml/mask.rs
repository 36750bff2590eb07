//! Takes the meaning from `*`, `&` and `@`: Mistral's loader has no anchors or aliases, so these
//! characters are ordinary text wherever they stand, also at the start of a plain scalar. The
//! parser has no such mode, so it sees three characters of the private use area in their place,
//! and every scalar is changed back afterwards. One character for one: positions stay true.

use std::borrow::Cow;

/// The characters to hide.
const SIGILS: [char; 3] = ['*', '&', '@'];

/// Where Unicode leaves 6,400 characters to private agreement.
const PRIVATE_USE: std::ops::RangeInclusive<char> = '\u{E000}'..='\u{F8FF}';

/// Which character stands for which sigil in one document.
#[derive(Debug)]
pub struct Mask {
    stand_ins: Option<[char; 3]>,
}

impl Mask {
    /// Hides the sigils of a text. `None` if the text already uses the whole private use area.
    pub fn apply(source: &str) -> Option<(Self, Cow<'_, str>)> {
        if !source.contains(SIGILS) {
            return Some((Self { stand_ins: None }, Cow::Borrowed(source)));
        }
        let mut used = vec![false; PRIVATE_USE.count()];
        for character in source.chars().filter(|c| PRIVATE_USE.contains(c)) {
            used[character as usize - *PRIVATE_USE.start() as usize] = true;
        }
        let mut free = PRIVATE_USE.zip(used).filter(|(_, used)| !used);
        let mut next = || free.next().map(|(character, _)| character);
        let stand_ins = [next()?, next()?, next()?];
        let mask = Self {
            stand_ins: Some(stand_ins),
        };
        let hidden = exchange(source, &SIGILS, &stand_ins);
        Some((mask, Cow::Owned(hidden)))
    }

    /// Brings the sigils back.
    pub fn remove<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.stand_ins {
            Some(stand_ins) if text.contains(stand_ins) => {
                Cow::Owned(exchange(text, stand_ins, &SIGILS))
            }
            _ => Cow::Borrowed(text),
        }
    }
}

fn exchange(text: &str, from: &[char; 3], to: &[char; 3]) -> String {
    text.chars()
        .map(|character| {
            from.iter()
                .position(|wanted| *wanted == character)
                .map_or(character, |index| to[index])
        })
        .collect()
}
