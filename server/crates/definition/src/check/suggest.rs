//! The known name that an unknown one was probably meant to be.

/// Longer names are not compared; the cost grows with the square of the length.
const CHARS_MAX: usize = 64;

/// The name with the fewest edits, if they are few for its length. `budget` is what may still be
/// spent: looking at a name costs one, comparing it the product of the lengths.
pub(super) fn nearest<'n>(
    wrong: &str,
    names: impl Iterator<Item = &'n str>,
    budget: &mut usize,
) -> Option<&'n str> {
    if wrong.len() > CHARS_MAX * 4 {
        return None;
    }
    let wrong: Vec<char> = wrong.chars().collect();
    if wrong.len() > CHARS_MAX {
        return None;
    }
    let allowed = (wrong.len() / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    for name in names {
        *budget = budget.saturating_sub(1);
        // A text has at least a quarter as many characters as bytes.
        if name.len() > (wrong.len() + allowed) * 4 || *budget == 0 {
            continue;
        }
        let right: Vec<char> = name.chars().collect();
        if right.len().abs_diff(wrong.len()) > allowed {
            continue;
        }
        *budget = budget.saturating_sub(wrong.len() * right.len());
        let distance = distance(&wrong, &right);
        let is_near = distance <= allowed && distance < right.len();
        if is_near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, a) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, b) in to.iter().enumerate() {
            let replaced = last[column] + usize::from(a != b);
            let mut best = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            let is_swap = row > 0 && column > 0 && from[row - 1] == *b && to[column - 1] == *a;
            if is_swap {
                best = best.min(before[column - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_recognised() {
        let names = ["publish", "on-success", "on-error", "action"];
        for (wrong, right) in [
            ("pubish", Some("publish")),
            ("on-sucess", Some("on-success")),
            ("acton", Some("action")),
            ("aciton", Some("action")),
            ("on_error", Some("on-error")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(
                nearest(wrong, names.into_iter(), &mut 10_000),
                right,
                "{wrong}"
            );
        }
    }
}
