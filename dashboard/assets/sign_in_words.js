// What the sign-in dialog says of each field, and how it names the ways to sign in.

export const WAYS = { otp: "a code by email", device: "a device code", browser: "the browser", token: "a pasted token" };

export const FIELDS = {
  email: {
    label: "Email address", hint: "A code is sent there.", submit: "Send the code",
    type: "email", inputMode: "email", autocomplete: "email", klass: "",
  },
  second_factor: {
    label: "Second factor", hint: "The six digits that your authenticator app shows, or a recovery code.", submit: "Sign in",
    type: "text", inputMode: "text", autocomplete: "one-time-code", klass: "code",
  },
  code: {
    label: "Code", hint: "", submit: "Sign in",
    type: "text", inputMode: "numeric", autocomplete: "one-time-code", klass: "code",
  },
  token: {
    label: "Token", hint: "Make one in the server's dashboard and paste all of it.", submit: "Sign in",
    type: "password", inputMode: "text", autocomplete: "off", klass: "secret",
  },
};
