# Net::SMPP as an SMSC: perl smsc.pl TEXTS. See ../../peer.py.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use Net::SMPP;
use Texts;

use constant RECEIPT => 0x04;    # SMPP 3.4 5.2.12
use constant ESME_RINVPASWD => 0x0E;

my @texts = @{ JSON::PP->new->decode($ARGV[0]) };

my $listener = Net::SMPP->new_listen('127.0.0.1', port => 0, timeout => 60, smpp_version => 0x34)
    or die "cannot listen: $!";
tell_tests('listening', port => $listener->sockport);
my $esme;

my $at = -1;         # of the text that is being played
my %asked;           # sequence of a request of ours => what to do with its response
my $messages = 0;

sub ask {
    my ($then, @fields) = @_;
    my $sequence = $esme->deliver_sm(async => 1, source_addr_ton => 1,
        destination_addr => '8103', @fields);
    $asked{$sequence} = $then;
}

sub next_text {
    return $esme->unbind(async => 1) if ++$at == @texts;
    my ($phone, $text) = @{ $texts[$at] };
    my @bodies = bodies($text, 1000 + $at);
    my $last = pop @bodies;
    my @from = (source_addr => $phone);
    ask(sub { }, @from, @$_) for @bodies;
    ask(sub { tell_tests('taken', id => $_[0]{message_id}) }, @from, @$last);
}

sub report {
    my ($pdu, $id) = @_;
    ask(
        sub { tell_tests('reported', status => $_[0]{status}); next_text() },
        source_addr           => $pdu->{destination_addr},
        esm_class             => RECEIPT,
        short_message         => "id:$id sub:001 dlvrd:001 submit date:2604060000"
            . " done date:2604060000 stat:DELIVRD err:000 text:",
        receipted_message_id  => "$id\0",
        message_state         => "\x02",
    );
}

my %react = (
    Net::SMPP::CMD_bind_transceiver() => sub {
        my ($pdu) = @_;
        my $known = $pdu->{system_id} eq 'smsd' && $pdu->{password} eq 'secret';
        $esme->bind_transceiver_resp(seq => $pdu->{seq}, system_id => 'perl',
            status => $known ? 0 : ESME_RINVPASWD);
        return unless $known;
        $esme->enquire_link(async => 1);
        next_text() if $at < 0;
    },
    Net::SMPP::CMD_enquire_link() => sub { $esme->enquire_link_resp(seq => $_[0]{seq}) },
    Net::SMPP::CMD_deliver_sm_resp() => sub {
        my ($pdu) = @_;
        die "deliver_sm_resp $pdu->{status}" if $pdu->{status};
        (delete $asked{ $pdu->{seq} })->($pdu);
    },
    Net::SMPP::CMD_submit_sm() => sub {
        my ($pdu) = @_;
        my $id = 'perl-' . ++$messages;
        $esme->submit_sm_resp(seq => $pdu->{seq}, message_id => $id);
        my ($text, $parts) = join_parts($pdu) or return;
        tell_tests('text', phone => $pdu->{destination_addr}, number => $pdu->{source_addr},
            text => $text, parts => $parts);
        return $at ? next_text() : report($pdu, $id);
    },
    Net::SMPP::CMD_unbind() => sub { $esme->unbind_resp(seq => $_[0]{seq}); exit 0 },
);

while ($esme = $listener->accept) {
    while (my $pdu = $esme->read_pdu) {
        last if $pdu->{cmd} == Net::SMPP::CMD_unbind_resp;
        my $reaction = $react{ $pdu->{cmd} } or next;
        $reaction->($pdu);
    }
    die 'the ESME hung up' if $at < @texts;
    $esme->close;
}
die 'the ESME did not come back';
