//! What a backslash in the text of a YAQL string stands for: the escapes of Python.

/// What is found at a backslash, with its length in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// The character that the escape stands for.
    Character(char, usize),
    /// No escape: the text stays as it is.
    Text(usize),
    /// An escape that stands for no character.
    Wrong(String, usize),
}

/// Reads the escape at the start of `text`, which is a backslash and at least one character more.
pub(crate) fn unescape(text: &str) -> Escape {
    let mut chars = text.chars();
    chars.next();
    let c = chars
        .next()
        .expect("a backslash is followed by a character");
    let simple = |c| Escape::Character(c, 2);
    match c {
        '\\' | '\'' | '"' => simple(c),
        'a' => simple('\u{7}'),
        'b' => simple('\u{8}'),
        'f' => simple('\u{c}'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\u{b}'),
        'x' => hex(text, 2),
        'u' => hex(text, 4),
        'U' => hex(text, 8),
        'N' => named(text),
        '0'..='7' => octal(text),
        c => Escape::Text(1 + c.len_utf8()),
    }
}

fn octal(text: &str) -> Escape {
    let digits = &text[1..];
    let end = digits.find(|c| !matches!(c, '0'..='7'));
    let end = end.unwrap_or(digits.len()).min(3);
    let code = u32::from_str_radix(&digits[..end], 8).expect("the digits are octal");
    let c = char::from_u32(code).expect("three octal digits are below the surrogates");
    Escape::Character(c, 1 + end)
}

/// `\x`, `\u` or `\U` with so many characters after it. Fewer characters than that, before the end
/// of the line or the string, make it plain text; others than digits make it an error.
fn hex(text: &str, digits: usize) -> Escape {
    let mut line = text[2..].char_indices().take_while(|(_, c)| *c != '\n');
    let Some((last, c)) = line.nth(digits - 1) else {
        return Escape::Text(2);
    };
    let used = 2 + last + c.len_utf8();
    let code = Some(&text[2..used]).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
    let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
    match code.and_then(char::from_u32) {
        Some(c) => Escape::Character(c, used),
        None => Escape::Wrong("the escape names no character".into(), used),
    }
}

/// `\N{NAME}`; without braces, or with nothing in them, it is plain text.
fn named(text: &str) -> Escape {
    let inside = text[2..].strip_prefix('{');
    let Some(name) = inside.and_then(|rest| rest.split_once('}')).map(|it| it.0) else {
        return Escape::Text(2);
    };
    if name.is_empty() {
        return Escape::Text(2);
    }
    let used = "\\N{}".len() + name.len();
    match character(name) {
        Some(c) => Escape::Character(c, used),
        None => Escape::Wrong(format!("no character has the name {name:?}"), used),
    }
}

/// The character of a name or alias of Unicode, in any case.
fn character(name: &str) -> Option<char> {
    let words = name.split(' ').all(|word| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !word.is_empty() && word.bytes().all(plain)
    });
    if !words {
        return None;
    }
    let found = unicode_names2::character(name)?;
    // The library does not mind blanks and hyphens that are too many or too few; Python does. Of
    // an alias it tells no spelling, but then the name is another one.
    let real = unicode_names2::name(found).map(|real| real.to_string());
    let given = name.to_ascii_uppercase();
    match real {
        Some(real) if real != given && letters(&real) == letters(&given) => None,
        _ => Some(found),
    }
}

fn letters(name: &str) -> String {
    name.replace([' ', '-'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_have_names_and_aliases() {
        for (name, c) in [
            ("EURO SIGN", '€'),
            ("euro sign", '€'),
            ("NO-BREAK SPACE", '\u{a0}'),
            ("NBSP", '\u{a0}'),
            ("LINE FEED", '\n'),
            ("BEL", '\u{7}'),
            ("BELL", '\u{1f514}'),
            ("LATIN CAPITAL LETTER OI", 'Ƣ'),
            ("LATIN CAPITAL LETTER GHA", 'Ƣ'),
            ("HANGUL SYLLABLE GAG", '각'),
            ("HANGUL JUNGSEONG O-E", '\u{1180}'),
            ("HANGUL JUNGSEONG OE", '\u{116c}'),
            ("CJK UNIFIED IDEOGRAPH-4E00", '一'),
            ("CJK COMPATIBILITY IDEOGRAPH-F900", '\u{f900}'),
            ("VARIATION SELECTOR-1", '\u{fe00}'),
            ("VS1", '\u{fe00}'),
        ] {
            let text = format!("\\N{{{name}}} and more");
            assert_eq!(unescape(&text), Escape::Character(c, name.len() + 4));
        }
    }

    #[test]
    fn a_name_is_spelt_as_it_is() {
        for name in [
            "EURO",
            "EUROSIGN",
            "EURO_SIGN",
            "EURO  SIGN",
            " EURO SIGN",
            "EURO SIGN ",
            "EURO-SIGN",
            "NO BREAK SPACE",
            "KEYCAP DIGIT ONE",
            "HANGUL SYLLABLE ",
            "U+20AC",
            "€",
            "\n",
        ] {
            let wrong = format!("no character has the name {name:?}");
            let text = format!("\\N{{{name}}}");
            assert_eq!(unescape(&text), Escape::Wrong(wrong, name.len() + 4));
        }
    }

    #[test]
    fn what_is_too_short_is_text() {
        for text in [
            "\\N",
            "\\Nx",
            "\\N{}",
            "\\N{EURO",
            "\\x",
            "\\x4",
            "\\x4\n4",
            "\\u12é",
            "\\U0001F60",
        ] {
            assert_eq!(unescape(text), Escape::Text(2), "{text:?}");
        }
        assert_eq!(unescape("\\é"), Escape::Text(3));
    }

    #[test]
    fn what_is_no_number_is_wrong() {
        for (text, used) in [
            ("\\x4z", 4),
            ("\\x+1", 4),
            ("\\u12é4", 7),
            ("\\ud83d", 6),
            ("\\U00110000", 10),
        ] {
            let wrong = Escape::Wrong("the escape names no character".into(), used);
            assert_eq!(unescape(text), wrong, "{text:?}");
        }
        assert_eq!(unescape("\\x411"), Escape::Character('A', 4));
        assert_eq!(unescape("\\7778"), Escape::Character('\u{1ff}', 4));
    }
}
