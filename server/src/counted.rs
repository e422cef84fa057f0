//! Which limit each kind of counted event belongs to.

use std::time::Duration;

use crate::db::throttle::ThrottleKind;
use crate::limits::Limits;
use crate::rules::rate::Limit;

/// Makes the list of kinds and the limit of each; the compiler asks for a kind that is missing.
macro_rules! counted {
    ($($kind:ident: $key:ident,)+) => {
        impl ThrottleKind {
            /// Every kind that a limit counts.
            pub const COUNTED: &[Self] = &[$(Self::$kind,)+];

            /// The limit's key in the `--limits` file; `None` for what is remembered and not limited.
            pub fn limit_key(self) -> Option<&'static str> {
                match self {
                    $(Self::$kind => Some(stringify!($key)),)+
                    Self::FormSent => None,
                }
            }

            /// The limit that counts events of this kind.
            pub fn limit(self, limits: &Limits) -> Option<Limit> {
                match self {
                    $(Self::$kind => Some(limits.$key),)+
                    Self::FormSent => None,
                }
            }
        }
    };
}

impl ThrottleKind {
    /// How long an event of this kind can matter to a limit.
    pub fn counts_for(self, limits: &Limits) -> Duration {
        let own = self.limit(limits).map_or(Duration::ZERO, |limit| limit.window);
        if matches!(self, Self::CodeToEmail | Self::CodeToFamiliar) {
            own.max(limits.letters_per_email_daily.window)
        } else if self == Self::CodeFromIpToEmail {
            own.max(limits.code_cooldown)
        } else {
            own
        }
    }
}

counted! {
    CodeToEmail: letters_per_email,
    CodeToFamiliar: letters_per_email,
    CodeFromIp: codes_per_ip,
    CodeFromIpToEmail: codes_per_email,
    WrongGuessFromIp: failures_per_ip,
    WrongGuessFromIpAtEmail: failures_per_email_and_ip,
    Registration: registrations_per_ip,
    FailedClient: client_failures_per_ip,
    WrongCodeExchange: code_exchanges_per_ip,
    RefusedPersonalToken: refused_tokens_per_ip,
    PersonalTokenMade: tokens_per_user,
    Consent: consents_per_user,
    Creation: creations_per_user,
    ShareOpened: share_opens_per_ip,
    WrongShare: share_opens_per_ip,
    DeviceCodeFromIp: device_codes_per_ip,
    WrongUserCodeOfUser: wrong_user_codes_per_user,
    WrongUserCodeFromIp: wrong_user_codes_per_ip,
    AchillesPollOfGrant: achilles_polls_per_ip,
    AchillesPollFromIp: achilles_polls_per_ip,
    AchillesRefreshFromIp: achilles_refreshes_per_ip,
    SecondFactorFailure: second_factor_failures,
    Letter: letters_per_user,
    AppAlarm: app_alarms_per_user,
}
