//! What the audit records and the metrics count.

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditEvent {
    /// A login code was made and handed to the mail.
    CodeSent,
    /// A login code's mail could not be delivered.
    MailFailed,
    /// The letter of a reminder that is due was posted; the detail is the user's id.
    ReminderMailed,
    /// The letter of a reminder that is due was given up; the detail is the user's id.
    ReminderGivenUp,
    /// A code signed someone in; a session began.
    Login,
    /// A guess at a code was refused.
    CodeRefused,
    /// A refresh token was consumed and its successor issued.
    Rotated,
    /// The same successor was answered again (RR-1).
    RepeatAnswered,
    /// A refresh token was used twice; every session of the user was revoked.
    ReplayRevokedAll,
    /// A refresh token was used with another key, long after it was consumed; its session was revoked.
    ReplayRevokedSession,
    /// A session was ended by its holder.
    Logout,
    /// A session was ended by its user, from another one.
    SessionEnded,
    /// A user ended every session but the one they did it from; the detail says how many.
    OthersEnded,
    /// The operator changed an account or ended a session from the command line; the detail says how.
    OperatorChanged,
    /// An OAuth client registered; the detail is its id.
    ClientRegistered,
    /// Someone did not prove to be the OAuth client they named; the detail is its id if there is such a client.
    ClientRefused,
    /// A user allowed an OAuth client what it asked for; the detail is its id.
    ConsentGiven,
    /// A user did not; the detail is its id.
    ConsentRefused,
    /// An authorization code was used twice; the session it began was revoked.
    CodeReplayed,
    /// A refresh with a token of a known session was refused; the detail says why.
    Refused,
    /// A user code that leads nowhere was typed.
    UserCodeRefused,
    DeviceApproved,
    DeviceDenied,
    /// A personal access token was made; the detail is its prefix.
    PersonalTokenMade,
    /// A personal access token was revoked; the detail is its prefix.
    PersonalTokenRevoked,
    /// A workspace was made; the detail is its id.
    WorkspaceMade,
    /// A workspace was deleted with everything in it; the detail is its id.
    WorkspaceDeleted,
    /// Someone was invited; the detail is the workspace's id and the role.
    MemberInvited,
    /// An invitation was accepted; the detail is the workspace's id and the role.
    MemberJoined,
    /// A member was given another role; the detail is the workspace's id, the user's id and the role.
    MemberChanged,
    /// A member was removed or left; the detail is the workspace's id and the user's id.
    MemberRemoved,
    /// A report was deleted; the detail is its id.
    ReportDeleted,
    /// A report was kept long enough, or its files never came; the detail is its id.
    ReportOver,
    /// A stored file was not what was sent once; the detail is the report's id and the file's place.
    FileDamaged,
    /// A share link was made; the detail is its id.
    ShareMade,
    /// A share link was revoked; the detail is its id.
    ShareRevoked,
    /// What a session had made ended with it, by an alarm; the detail says how much.
    MadeBySessionEnded,
    /// A share link was opened; the detail is its id.
    ShareOpened,
    /// A platform admin disabled an account; the detail is its id.
    UserDisabled,
    /// A platform admin enabled an account again; the detail is its id.
    UserEnabled,
    /// A second factor was turned on; the detail is the user's id.
    SecondFactorOn,
    /// A second factor was turned off; the detail is the user's id.
    SecondFactorOff,
    /// A second factor was answered wrongly; the detail is the user's id.
    SecondFactorRefused,
    /// A recovery code was used up; the detail is the user's id.
    RecoveryCodeUsed,
    /// New recovery codes were made; the detail is the user's id.
    RecoveryCodesRenewed,
    /// A browser's cookie that spares the second factor was not known; the detail is the user's id.
    RememberedRefused,
    /// Such a cookie came again after it was used up; the browser is remembered no more, and what it began has ended.
    RememberedReplayed,
    /// A platform admin changed who may sign up; the detail says how.
    SignUpChanged,
}

impl AuditEvent {
    /// Events that are kept longer, because they tell of an attack or of a change that one might be. The database's own rule
    /// for the audit lists the same.
    pub const ALARMS: [Self; 10] = [
        Self::ReplayRevokedAll,
        Self::ReplayRevokedSession,
        Self::MadeBySessionEnded,
        Self::CodeReplayed,
        Self::RememberedReplayed,
        Self::OperatorChanged,
        Self::SignUpChanged,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::SecondFactorOff,
    ];

    /// Whether whoever holds one token, spent or not, can make it happen as often as they like.
    pub fn is_repeatable(self) -> bool {
        matches!(self, Self::RepeatAnswered | Self::Refused)
    }

    /// Whether anybody can make it happen, without an account, as often as they like.
    pub fn is_anybodys(self) -> bool {
        matches!(
            self,
            Self::CodeSent
                | Self::CodeRefused
                | Self::ClientRegistered
                | Self::ClientRefused
                | Self::UserCodeRefused
                | Self::ShareOpened
                | Self::RememberedRefused
                | Self::FileDamaged
        )
    }

    /// The word for it in the database and in `everkey-server events`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CodeSent => "code_sent",
            Self::MailFailed => "mail_failed",
            Self::ReminderMailed => "reminder_mailed",
            Self::ReminderGivenUp => "reminder_given_up",
            Self::Login => "login",
            Self::CodeRefused => "code_refused",
            Self::Rotated => "rotated",
            Self::RepeatAnswered => "repeat_answered",
            Self::ReplayRevokedAll => "replay_revoked_all",
            Self::ReplayRevokedSession => "replay_revoked_session",
            Self::Logout => "logout",
            Self::SessionEnded => "session_ended",
            Self::OthersEnded => "others_ended",
            Self::OperatorChanged => "operator_changed",
            Self::ClientRegistered => "client_registered",
            Self::ClientRefused => "client_refused",
            Self::ConsentGiven => "consent_given",
            Self::ConsentRefused => "consent_refused",
            Self::CodeReplayed => "code_replayed",
            Self::Refused => "refused",
            Self::UserCodeRefused => "user_code_refused",
            Self::DeviceApproved => "device_approved",
            Self::DeviceDenied => "device_denied",
            Self::PersonalTokenMade => "personal_token_made",
            Self::PersonalTokenRevoked => "personal_token_revoked",
            Self::WorkspaceMade => "workspace_made",
            Self::WorkspaceDeleted => "workspace_deleted",
            Self::MemberInvited => "member_invited",
            Self::MemberJoined => "member_joined",
            Self::MemberChanged => "member_changed",
            Self::MemberRemoved => "member_removed",
            Self::ReportDeleted => "report_deleted",
            Self::ReportOver => "report_over",
            Self::FileDamaged => "file_damaged",
            Self::ShareMade => "share_made",
            Self::ShareRevoked => "share_revoked",
            Self::MadeBySessionEnded => "made_by_session_ended",
            Self::ShareOpened => "share_opened",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::SecondFactorOn => "second_factor_on",
            Self::SecondFactorOff => "second_factor_off",
            Self::SecondFactorRefused => "second_factor_refused",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
            Self::RememberedRefused => "remembered_refused",
            Self::RememberedReplayed => "remembered_replayed",
            Self::SignUpChanged => "sign_up_changed",
        }
    }
}
