/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known answers for suites 1 and 3, taken from the working group's vectors
 * (mlswg/mls-implementations): one or two of each kind, so that these tests
 * need no file.  The vector runner does all of them.
 */
#ifndef TESTS_CRYPTO_MLS_KNOWN_H
#define TESTS_CRYPTO_MLS_KNOWN_H

#include <stdint.h>

/* clang-format off */
#ifdef KNOWN_BASICS
struct known_basics {
    uint16_t suite;
    const char *ref_value;
    const char *ref_out;
    const char *expand_secret;
    const char *expand_context;
    const char *expand_out;
    const char *derive_secret;
    const char *derive_out;
    const char *tree_secret;
    uint32_t tree_generation;
    const char *tree_out;
    const char *sign_priv;
    const char *sign_pub;
    const char *sign_content;
    const char *sign_sig;
    const char *enc_priv;
    const char *enc_pub;
    const char *enc_context;
    const char *enc_plaintext;
    const char *enc_kem_output;
    const char *enc_ciphertext;
};

static const struct known_basics known_basics[] = {
    {
        1, 
        "40312db83f651883c05ab26fa12c6af61930015c81947cfd0f129e6d"
        "99210bb2", 
        "e8027fffc5f9bb469f29172538dc0f3a78f14f323495bbd2217eba7a"
        "77fb242a", 
        "1499360a561335f4ef51d0a1b0d586900dc8007ae405b1ab79bf4207"
        "bb3d67e4", 
        "2ff8c1f9d9c1248f82e372ddb5791c771695e01882abca6a64097bd2"
        "f04c971f", 
        "c1e8eb360391526c0c64039f13e0c5b1", 
        "1a9ce178a53f8752d2513c27efe9c85133f6c0a97f7b35ac20069502"
        "4a77228e", 
        "3b08c195a246c4ad469c1d11c10e62890d8fa6b684494ff925409efd"
        "b1ff0464", 
        "5133c6f8bad297f5d3beacdf477f0c45ec51b02de659d305220c5f93"
        "85c6eb43", 
        2694881440u, 
        "8461f3ccc603eae52149a23a4134d29c880a1ad1ba70441e5d586e35"
        "21ec7b25", 
        "a2f640dd5005fcad6adb8e9bd8b60d70946bb802e1e788307929fdac"
        "81e1ec74", 
        "85600e54e5c2919ccbd0742126e5d837cf7a2ba50d75a69b3f35dcfe"
        "4a50ffe2", 
        "cd289cc7ba2869f64f3c32ffd133f500d17abace919a5ffe7faa9742"
        "00d81932", 
        "996bd223ddb4d55a2b57d85cb2944f21facc95696053ddf66d590060"
        "fdc719f4a26c6212ce605414e0d5e66a55921dd99d11122218c35bc2"
        "3408b0076e8bc40b", 
        "fb1ade7939987ff12a9d620772b1f9f7caeba26f8a3ecea9617d9402"
        "cd862444", 
        "ecea6564da58d6c6cff6c733bd4ae0815b1f60bb911b73e4ef1d0626"
        "3ec4ce58", 
        "26347dd7f218d1de8673d6a66646ce06ac5fd3aa8d5c33f65d86aeef"
        "dcf4a31e", 
        "8f55dd30f03d64335c22b53ea7670bb1becf49b04021f706368fe93e"
        "eb358f46", 
        "0a144e8fbf2d6dcf6fe9d2e2b8aeca5461ff5b0ea9c0ede1040c3dc7"
        "ed1dfd1c", 
        "15c80ea2bc37db221baa530ef5aea88650f0ce0f262803d6f78f3a13"
        "92f7ccd960eff94ca081ee54efa4c3acfa0eb591"},
    {
        3, 
        "4f0c86f9c82fba0a896bd7eecf79a29856e98a7e4f13b9f841ae285d"
        "70ed8b68", 
        "f11019703c8b630060839b12a475fd39c6a30f8a866790ff46a35f9c"
        "65e1df3c", 
        "55aa3ae5242564782567ce097beafe19510230660008b2cc064a7838"
        "7fa16f36", 
        "2e07148f4340c62a55e7608c20d73fddf1f3b8dafb2c7ef24eceb70e"
        "136c0d8c", 
        "1df5ba7996a34f75d717916a094a14083c03a75e80f0330a8095f5f1"
        "1cfe1e1f", 
        "cae460c779ebaa3e81c061a371486dff1ed1ff273bea369cc0fc4655"
        "0b83c407", 
        "aad859818ca5f2a9896d4d3ee2dccc0cefcd69b666bdb16b52f1de15"
        "fb1a5567", 
        "c994e257b53f726087ddd7121876f558f1fbd6f807e5ff010830d618"
        "d7bab6f2", 
        2694881440u, 
        "2095d6a81ab87095d1df26f6bdf012ec06f197e418381c1795a7b758"
        "603c936d", 
        "4e312160ee4981358db479aa877412847abc7f7054b5605511256c39"
        "5404d054", 
        "18275f892ee0ca6f4687ff26c990776387502646ff658c3f572b324f"
        "aecb05c5", 
        "df308cf2dbf471edf2c29d30e3daf161b5b87d350ee3b2c715c298ec"
        "3d10d432", 
        "4f56851c2c47f5115a61ff0ab6121b4a4732d4e94805fc7135a5132f"
        "87d5ca5f1dc7408816c1ea4f25887725cf5914b48c427a52cabcfeb7"
        "46a2b8a12e821f08", 
        "9d122ad4638fcb301b6eb5f4073414afb44bb34d37b4ddee9975b294"
        "1d700edb", 
        "7a5544b59f5940bf093c921469a00a170a7c92ba56c173d74db32713"
        "608d8a40", 
        "0d6a5cf9ee88b1f8c79d8512477d9bfc5496c207c8173f8dcac0368b"
        "4dba7407", 
        "1dd4c1904996ce7d42cee7de68881459fa7a345da59a02040ade3710"
        "3505baf6", 
        "f26e9e5a94396a90f85a5f72eedf3dacfb1b7f4164e0573edeb9c6c9"
        "12e1cb49", 
        "40dd09ad4c5dc29d373f814bf054c9359cb75a468bc4d2c8bbcffb07"
        "2a73105c4d9416ebd4fafeb62e59a9dea55da3cd"},
};
#endif

#ifdef KNOWN_SCHEDULE
struct known_schedule {
    uint16_t suite;
    const char *initial_init_secret;
    const char *commit_secret;
    const char *psk_secret;
    const char *group_context;
    const char *joiner_secret;
    const char *welcome_secret;
    const char *sender_data_secret;
    const char *encryption_secret;
    const char *exporter_secret;
    const char *external_secret;
    const char *confirmation_key;
    const char *membership_key;
    const char *resumption_psk;
    const char *epoch_authenticator;
    const char *init_secret;
    const char *external_pub;
    const char *export_label;
    const char *export_context;
    const char *export_secret;
};

static const struct known_schedule known_schedule[] = {
    {
        1, 
        "a897b53575b4dd35fed4466e4e714bfa949eaa72e616a9c68a47b39c"
        "b7a60d2e", 
        "a22606222e350fd7f0937168fe7548fb06626ab143cba7611d641693"
        "b1447509", 
        "e871b247379522395689182736cb3d1e7b108d6ae934b802223975de"
        "8dc3f80b", 
        "0001000120a897b53575b4dd35fed4466e4e714bfa949eaa72e616a9"
        "c68a47b39cb7a60d2e0000000000000000209769e302a99c457350a8"
        "e636009b12a2fee068664004606d6318eb3a1977d818205e57c9364d"
        "c71f0f71b19ffe561ab77257c490708a47e29f8f73f2b318201d2f00", 
        "4fb996ba26b29a70f3ce6c310151ce8701cb812d027f4d4bbf5cc4e9"
        "f884638d", 
        "ddcd9ced2d264798f876cbd00a200cdc4d77311dfef96975257efb66"
        "b0ef2c4d", 
        "9b3995e08589548b75e149190060cf35228df0eefe3527ea2fb39e49"
        "a84125b4", 
        "01588615c93d02c83bda0b587473303b1637a92bf80783206d963f91"
        "97c40a13", 
        "5a097e149f2a375d0b9e1d1f4dc3a9c6c1788df888e5441f41a8791f"
        "4dc56cea", 
        "b5cb5666cfb9c501ed76715c6ed1cafbed5061cd6b86898ae5d3fd4c"
        "b05abb26", 
        "feabd690de3b4ce985a3dfad86a4c4e6a0be9b84e7cc764842784f2a"
        "6b938b75", 
        "970744ba7edd21700a3e106cb4e2b4c657cef6b41a1fe5b5a1418f86"
        "e76e037e", 
        "d78ca815e192823f5c7c94b0156bdc7af4791cfb3f240fff613c0c03"
        "c01dabd5", 
        "7375d449cde2c5a856c13c8eb52c16bf9ef29eceef59b09d1f946bd1"
        "bac24643", 
        "505be2ce2ff922aa11e0a03d76346dda2981f1d9edf5cf98ecfc8757"
        "f69b00c9", 
        "640117516be304ac1160933c894a6df9290231f1843f3685c124fc42"
        "c785c02c", 
        "9ba13d54ecdec7cbefcb47b4268d7b1990fabc6d6e67681e16795938"
        "9d84e4e4", 
        "884f1af892ab002f5be4c5d5081ade9e0e6418c6ea7a9a92e90534f1"
        "9dcef785", 
        "dbce4e25e59ab4dfa6f6200f113ed08393cf6e7286d024811141c6a4"
        "dd11c0cb"},
    {
        3, 
        "a897b53575b4dd35fed4466e4e714bfa949eaa72e616a9c68a47b39c"
        "b7a60d2e", 
        "a22606222e350fd7f0937168fe7548fb06626ab143cba7611d641693"
        "b1447509", 
        "e871b247379522395689182736cb3d1e7b108d6ae934b802223975de"
        "8dc3f80b", 
        "0001000320a897b53575b4dd35fed4466e4e714bfa949eaa72e616a9"
        "c68a47b39cb7a60d2e0000000000000000209769e302a99c457350a8"
        "e636009b12a2fee068664004606d6318eb3a1977d818205e57c9364d"
        "c71f0f71b19ffe561ab77257c490708a47e29f8f73f2b318201d2f00", 
        "3e28da76edc09fb9ad59fae258839c7dc46e3c092a125499959c7413"
        "a60250b2", 
        "b0defbdd2232224b0c0427e8efa80f011f7813291dca783433f2da14"
        "31620bbc", 
        "de1df3a74bbcfc7fcc631213a20c1b1842860eab8e6f0c864dcfb541"
        "cd42cf24", 
        "ffcc3d4a757224eaf62c124f8e7def12c0db74740cf494c9f56fa7dd"
        "07214947", 
        "27518b380b39834affecb08780ee9709627859d5f6f37994e8783791"
        "004485cb", 
        "46f51f54ce4c3457ee5681925b9d1a282de166f04e28a4a316404bd1"
        "4dda3138", 
        "e8bdff522e2675c7e0582321fbeb7e61763b1f88e7ded3c57ea78c69"
        "1e1d0b93", 
        "6839abba79aaeb82385397612fb90cbea3bf8d427806cb3f0bfe5793"
        "c1a42fc9", 
        "244b05004ced1a7d1dc3da6a7541e9b180b6ffe41cc6e24d63c5c9c0"
        "742b4870", 
        "f68f6735aeeb97331d674ef4f580e11352beff543b3b6688a01a1bab"
        "97d42f26", 
        "418b197eafd925ebbf4bfd94d650aa83b1a11d6d02f33c2cc81631c6"
        "734f69d9", 
        "8206ea1eb4d8d5730a2737f7470718b9d00c2276d24a98ac4e6d7ef5"
        "2cba0631", 
        "9ba13d54ecdec7cbefcb47b4268d7b1990fabc6d6e67681e16795938"
        "9d84e4e4", 
        "884f1af892ab002f5be4c5d5081ade9e0e6418c6ea7a9a92e90534f1"
        "9dcef785", 
        "623c858acd2728c5b860a77ae0cde77fa8aef14e9ac124464cab06bb"
        "c3cf3635"},
};
#endif

#ifdef KNOWN_PSK
struct known_psk {
    uint16_t suite;
    const char *id0;
    const char *nonce0;
    const char *psk0;
    const char *id1;
    const char *nonce1;
    const char *psk1;
    const char *out;
};

static const struct known_psk known_psk[] = {
    {
        1, 
        "4e96d00ea2059b6c70d0e8777970e65677abee0c4b90e881c4cf7b4a"
        "aa8d9184", 
        "924a5371246476aca6a92eec7d295af3c9ed3f905aaeb97dc4748ac4"
        "cdc889fd", 
        "62e3157cbb3799d0f54fb873e7f7e46257a01e9e4297413e769c4f0a"
        "feb1a206", 
        "8034d46a6150c7c4817f7584edf51006ec8432c55ae1de77d0ccd51c"
        "523ed97d", 
        "07ade6664316831d1ceddc1f7f8b26ff132f7130f4c6c6c51f07191d"
        "8f2a328e", 
        "27f5dd47bf87802cdfac24f1bfde71595a62ea8bc6a9ab335ba23c98"
        "d5fee267", 
        "e582f70f0b6a48dc9a50583895bc90012147e59bf7ba90b29673075f"
        "db646ff2"},
    {
        3, 
        "c4e57766aa00414135b98e60b8e897896565af0f3d746c32d04dd4cd"
        "a21d2299", 
        "daeccb5a5522ee2578427727a6091194ad0d5a83ea4e0a9318ac2775"
        "8d03574f", 
        "4031689beb1bc9408e50f3ddbc04f7390e38afcbe88d8090c1a5a3e7"
        "469a8fc0", 
        "2ed6e6c554f046664d1e370fccbd64f6a9ba0f4163fd2785a8eb1bcf"
        "865e8b8e", 
        "d3ae0fea4056bf88ff37ebd6efed07cdb41f2f306de9d88ac5762c2a"
        "245a8545", 
        "787e4bfaf0f4f73624ae0f9f012e7cb554f4dfff31c8c57df7b091d4"
        "cd8be903", 
        "4137e7535a749ef9c6055be84e2850168d64fddf843efc210e199701"
        "d088174b"},
};
#endif

#ifdef KNOWN_TRANSCRIPT
struct known_transcript {
    uint16_t suite;
    const char *interim_before;
    const char *input;
    const char *tag;
    const char *confirmation_key;
    const char *confirmed;
    const char *interim_after;
};

static const struct known_transcript known_transcript[] = {
    {
        1, 
        "2597552c42df799cd70e99c77c4f80e834a9418096a0b2c7bc66afbc"
        "48eebaa6", 
        "00010567726f7570000000000000345601000000000003220220e740"
        "a6faf2db65f5853148d75d9a335d7c4b94ab106fe5f237bc34fdcfc7"
        "45840040402280c921b6b2836ed4eca496dfa74a13c171f78b808228"
        "94032c4c03cc4fb9c24e505c0d0ba4e8edb63a3327442baa12555a57"
        "f28e4cfebb4f0c42997030e207", 
        "3a1d8805d8390f441a622f81bcb7347be86db7cc491d0313163fa63c"
        "2f66aa92", 
        "26ae359a9a9760cd1066cae16f1456ea7eaf52bd85d5dba5bb15cca0"
        "4a90c83f", 
        "51a85b21149c86f3f8c2907017c449e96987242b7ba2be9db1ddd53f"
        "b2db0d1d", 
        "193f9e11118fd08ff626069543b481ec5f04145680b612bb84d8962a"
        "2e609211"},
    {
        3, 
        "0a56a7ac12b2fdab74b9356d100f5458dbce550c1fe69d4328300149"
        "6fd08901", 
        "00010567726f7570000000000000345601000000000003220220e740"
        "a6faf2db65f5853148d75d9a335d7c4b94ab106fe5f237bc34fdcfc7"
        "45840040406d0a302c5106ea9d31f3aec1d43df3fff47c1c0b059f4a"
        "0b1884798c5f6c973b4e3933b927b7e5f841813e1c14d8513c579b36"
        "62a3ce5e4c50adf53c4d60df02", 
        "43646bfab3e0513b627b89997a2c3192afec8c9b6e9ef839dbb5fc7c"
        "0b90c9cd", 
        "45eb25e0f6024d7dca9a319bbb5d86d22d156613e6319507b54f4844"
        "f71bc858", 
        "93e90c899f8a485dad5521123de058cefde35d5659521efd9b19c16f"
        "bdd8b42c", 
        "4184f0b59dc75aa1771efb5601124785ed6d590fe8cd58c398f4ccdb"
        "ef46f3f0"},
};
#endif

#ifdef KNOWN_SENDER_DATA
struct known_sender_data {
    uint16_t suite;
    const char *secret;
    const char *ciphertext;
    const char *key;
    const char *nonce;
};

static const struct known_sender_data known_sender_data[] = {
    {
        1, 
        "c1d2716789d55bd41e85316b455b7da70433898816e62b15216368d7"
        "13d1d4fb", 
        "c32247575cc61ec993efcb78704012929d0569283f7ab1f85f048791"
        "f1170e2639cacf787be9a58e31a3a21f3f12523d32f8089eeaa0756f"
        "69a1488a4e87356ab50b700bf2222ff8b0b258f22d", 
        "ce20a37761e1152c56e0a6743aaeb520", 
        "70f55f0f05fdd2d7459a50bc"},
    {
        3, 
        "3c61a6ebf1f32a9f20dc375039459ba7afa95600ee0736bd91fbd7cd"
        "6f0f324e", 
        "e80d2f8e7283ce19fc07afe30277b9b5f5684fa8b3b858d51b3bc04e"
        "3d0cca2bec15d67d58063206b4df0b88a8a31e8bdfc1e4a1aacdf7d0"
        "b2df2cfb43fc85c9d53da8c05a3ced7c056e6f147f", 
        "989649a440be9cffdc2d4afeef55e15b667d2f0b145c406a5aae1140"
        "5f4cc6d3", 
        "b111bc5303860211b9d1b95d"},
};
#endif

#ifdef KNOWN_TREE
struct known_tree {
    uint16_t suite;
    const char *encryption_secret;
    uint32_t leaf;
    uint32_t generation;
    const char *handshake_key;
    const char *handshake_nonce;
    const char *application_key;
    const char *application_nonce;
};

static const struct known_tree known_tree[] = {
    {
        1, 
        "9d4ecb550dc4fbcbaae66d120a2215cbeca20d45d66791df5b4349ea"
        "ce30fd3f", 
        0, 
        0, 
        "199d6d2b8810a8f6e81e80e49e6a29ce", 
        "18f6c449223678070da1a24b", 
        "dd3fbd3f880af22368f4232e7518d93b", 
        "969933769978098b3eb6324a"},
    {
        1, 
        "9d4ecb550dc4fbcbaae66d120a2215cbeca20d45d66791df5b4349ea"
        "ce30fd3f", 
        0, 
        15u, 
        "e6c01a531c31e31faa37eaa6ec405cbd", 
        "579ee05a5d60db32f9c8aef0", 
        "3eddbdfcea44bf06aab8145c90e4e699", 
        "4a12f22d9328a723cec85b8c"},
    {
        1, 
        "9d4ecb550dc4fbcbaae66d120a2215cbeca20d45d66791df5b4349ea"
        "ce30fd3f", 
        5, 
        0, 
        "579d500a6e78803ffd6187c1e4a3448d", 
        "8bdceebc9e6f8838c93ebe06", 
        "87dd6efd2ac7e13e0e477a72cfea0c85", 
        "c3f031d03cd30def2b14ac8d"},
    {
        1, 
        "9d4ecb550dc4fbcbaae66d120a2215cbeca20d45d66791df5b4349ea"
        "ce30fd3f", 
        5, 
        15u, 
        "9a494c83e2d9dfab6008d8df9ba63aab", 
        "95edab0a7777e09c30514561", 
        "66992f2f134e10095469e656dd7117e0", 
        "a5efd9b2edf31ce95eab1e18"},
    {
        1, 
        "9d4ecb550dc4fbcbaae66d120a2215cbeca20d45d66791df5b4349ea"
        "ce30fd3f", 
        7, 
        0, 
        "e13891d83b76131ca2bd86dca69514c0", 
        "b4e72b31cc0e2fe85fb645ed", 
        "a5c06098e8f8fac7156d4be34299db2d", 
        "6b7fd4094473892fd5e9cfa5"},
    {
        1, 
        "9d4ecb550dc4fbcbaae66d120a2215cbeca20d45d66791df5b4349ea"
        "ce30fd3f", 
        7, 
        15u, 
        "034a340c0511b2e7884a221d99f4e5c4", 
        "45ead0267ed84a5d88553c3b", 
        "d82803947511bab6cff6549f4d377ab4", 
        "fb687de03bdbbc6221009fd7"},
    {
        3, 
        "d57a3e97f5db1387fd29e6111fd12cd15f55082164438e983f588e49"
        "0d4be3c9", 
        0, 
        0, 
        "55c0916e2c0d115e3ab35c70b2f16ded3051c79399fcffc2859e699f"
        "938e75c9", 
        "1d96560be0297c2a7df1988d", 
        "79032092cdead1eb02385b174abec5722b474486c299636cf3c18b0c"
        "afa49267", 
        "ef49061a0037b0f1eb6cfdb1"},
    {
        3, 
        "d57a3e97f5db1387fd29e6111fd12cd15f55082164438e983f588e49"
        "0d4be3c9", 
        0, 
        15u, 
        "f0037a7de2797df1ff036009dc6750d8cc7901c434d19561c42b8e9a"
        "dc83acf0", 
        "c3b1dab20c6d1cf996c22471", 
        "d3660e4b2e2014fb6eba6db191cb41912bdbf75f48dc1cbc284a8dd2"
        "6d05715b", 
        "eb69d4f656abaffa736363cc"},
    {
        3, 
        "d57a3e97f5db1387fd29e6111fd12cd15f55082164438e983f588e49"
        "0d4be3c9", 
        5, 
        0, 
        "0a6538d0472fbdd15c912bf67b84de562c9d27afd44a69cb5d28026b"
        "b6e93851", 
        "59376149e274000b31ffff72", 
        "5cbc6e9b705e19032afe6e22f44eaaa0b488c57cd441e37c7bb1224b"
        "e1026f38", 
        "ee50d01dd78de80239309c5d"},
    {
        3, 
        "d57a3e97f5db1387fd29e6111fd12cd15f55082164438e983f588e49"
        "0d4be3c9", 
        5, 
        15u, 
        "0ae63f1aefef7deec797082de74d07020b4fc491012da9a297a7f85f"
        "8f3313d7", 
        "138293ae1dd09af823dc600b", 
        "5fef1992203713ffb91bc67965402b6345f691bcc4c656e4cffd0853"
        "a4ac6474", 
        "c9862f345543c351e0b81412"},
    {
        3, 
        "d57a3e97f5db1387fd29e6111fd12cd15f55082164438e983f588e49"
        "0d4be3c9", 
        7, 
        0, 
        "28c09a2d5275cba5e14787f61f8ba210b77e0f790bb1eea19ee62080"
        "55d5311c", 
        "c5312900774af942a8499e4f", 
        "39d155f1b517eb74ea4dd217faf3c8a0d5ee225c3a09a9e026076640"
        "5c1a30d1", 
        "e7d1e967163d2eee48bbcd2f"},
    {
        3, 
        "d57a3e97f5db1387fd29e6111fd12cd15f55082164438e983f588e49"
        "0d4be3c9", 
        7, 
        15u, 
        "ebb1df28bf07a18cd4a1aa216ff96d8fc61afa7b2d98cb4b37a6a3a7"
        "91813e37", 
        "73b9a10947dd9dfadb6d7995", 
        "acf22181714e05aa45f0c9e179d0319cd4693b94c0aacfd60d33da3e"
        "ee44cc64", 
        "343807a851dc834515f0eff0"},
};
#endif

/* clang-format on */

#define KNOWN_N(table) (sizeof(table) / sizeof((table)[0]))

#endif
