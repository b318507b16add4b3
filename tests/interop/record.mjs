// SPDX-License-Identifier: Apache-2.0
// What one passive member of a room sees, as a gap vector: the shape of the
// official passive-client vectors, with `application` messages.

export class Record {
  constructor(observer, number) {
    this.observer = observer;
    this.name = `recorded ${number + 1}`;
    this.epochs = [];
    this.proposals = [];
    this.psks = new Map();
  }

  secret(id, psk) {
    this.psks.set(id, psk);
  }

  proposal(msg) {
    this.proposals.push(msg);
  }

  joined(arriving, { welcome, tree }) {
    if (arriving.includes(this.observer)) {
      this.start = { welcome, ratchet_tree: tree ?? null };
    }
  }

  async commit(commit) {
    const { auth } = await this.observer.call('info');
    if (this.start.auth === undefined) {
      this.start.auth = auth; // the commit that brought the observer in
    } else {
      this.epochs.push({
        proposals: this.proposals, commit, epoch_authenticator: auth,
        application: [],
      });
    }
    this.proposals = [];
  }

  application(sent) {
    this.epochs.at(-1)?.application.push(...sent.map(({ msg, pt }) => ({
      message: msg, plaintext: pt,
    })));
  }

  vector(suite) {
    const { kp, init_priv, enc_priv, sig_priv } = this.observer.keys;
    return {
      cipher_suite: suite,
      name: this.name,
      external_psks: [...this.psks].map(([id, psk]) => ({ psk_id: id, psk })),
      key_package: kp,
      init_priv,
      encryption_priv: enc_priv,
      signature_priv: sig_priv,
      welcome: this.start.welcome,
      ratchet_tree: this.start.ratchet_tree,
      initial_epoch_authenticator: this.start.auth,
      epochs: this.epochs,
    };
  }
}
