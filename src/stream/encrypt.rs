//! age encryption: who can read a stream, and the keys that open it. Format: <https://age-encryption.org/v1>.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::str::FromStr;

use age::x25519;

/// The public keys a stream is encrypted to; none leaves it plain.
#[derive(Clone, Default)]
pub struct Recipients(Vec<x25519::Recipient>);

/// The private keys a stream may be opened with. Never printed.
#[derive(Clone, Default)]
pub struct Identities(Vec<x25519::Identity>);

/// A key text that is not one. It does not repeat the text: a private key may have been put in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// Not an `age1…` public key.
    #[error("recipient {position} is not an age public key: {reason}")]
    Recipient {
        /// Which one, from 1.
        position: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Not an `AGE-SECRET-KEY-1…` private key.
    #[error("line {line} of the identity is not an age private key (they begin with AGE-SECRET-KEY-1)")]
    Identity {
        /// Which line of the text, from 1.
        line: usize,
    },
    /// No key in the text.
    #[error("the identity holds no age private key (a line that begins with AGE-SECRET-KEY-1)")]
    NoIdentity,
}

impl Recipients {
    /// Reads `age1…` texts.
    pub fn parse<S: AsRef<str>>(texts: &[S]) -> Result<Self, KeyTextError> {
        let parse = |(idx, text): (usize, &S)| {
            let text = text.as_ref().trim();
            let position = idx + 1;
            if text.starts_with("AGE-SECRET-KEY-") {
                let reason = "it is a private key; keep that away from this machine and use its public half".to_owned();
                return Err(KeyTextError::Recipient { position, reason });
            }
            x25519::Recipient::from_str(text)
                .map_err(|reason| KeyTextError::Recipient { position, reason: reason.to_owned() })
        };
        texts.iter().enumerate().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether streams are encrypted at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The public keys as text, for the manifest.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl Identities {
    /// Reads the text of an identity file as `age-keygen` writes it: a key a line, `#` comments, blank lines.
    pub fn parse(text: &str) -> Result<Self, KeyTextError> {
        let mut keys = Vec::new();
        for (idx, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            keys.push(x25519::Identity::from_str(line).map_err(|_| KeyTextError::Identity { line: idx + 1 })?);
        }
        if keys.is_empty() {
            return Err(KeyTextError::NoIdentity);
        }
        Ok(Self(keys))
    }

    /// A key that opens nothing that was ever encrypted.
    pub fn generate() -> Self {
        Self(vec![x25519::Identity::generate()])
    }

    /// Whether there is any key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the keys is the private half of one of these public keys.
    pub fn open_any_of(&self, recipients: &[String]) -> bool {
        self.0.iter().any(|key| recipients.contains(&key.to_public().to_string()))
    }

    pub(super) fn decrypt<R: BufRead>(&self, stored: R) -> Result<impl Read + use<R>, age::DecryptError> {
        let decryptor = age::Decryptor::new_buffered(stored)?;
        decryptor.decrypt(self.0.iter().map(|key| key as &dyn age::Identity))
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.texts()).finish()
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({} keys)", self.0.len())
    }
}

/// Writes to `W` either as it is or as one age file.
pub(super) enum Encrypting<W: Write> {
    Plain(W),
    Age(age::stream::StreamWriter<W>),
}

impl<W: Write> Encrypting<W> {
    pub(super) fn begin(output: W, recipients: &Recipients) -> io::Result<Self> {
        if recipients.is_empty() {
            return Ok(Self::Plain(output));
        }
        age::Encryptor::with_recipients(recipients.0.iter().map(|key| key as &dyn age::Recipient))
            .map_err(io::Error::other)?
            .wrap_output(output)
            .map(Self::Age)
    }

    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(output) => Ok(output),
            Self::Age(writer) => writer.finish(),
        }
    }
}

impl<W: Write> Write for Encrypting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(output) => output.write(bytes),
            Self::Age(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(output) => output.flush(),
            Self::Age(writer) => writer.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Identities, KeyTextError, Recipients};

    #[test]
    fn a_private_key_given_as_recipient_is_refused_without_repeating_it() {
        use age::secrecy::ExposeSecret as _;
        let key = age::x25519::Identity::generate();
        let text = key.to_string().expose_secret().to_owned();
        let error = Recipients::parse(std::slice::from_ref(&text)).unwrap_err().to_string();
        assert!(error.contains("private key") && !error.contains(&text), "{error}");
        let identities = Identities::parse(&format!("# created: today\n\n{text}\n")).unwrap();
        assert_eq!(format!("{identities:?}"), "Identities(1 keys)");
    }

    #[test]
    fn an_identity_text_without_a_key_is_refused() {
        assert_eq!(Identities::parse("# only a comment\n").unwrap_err(), KeyTextError::NoIdentity);
        assert_eq!(Identities::parse("\nnonsense").unwrap_err(), KeyTextError::Identity { line: 2 });
    }
}
