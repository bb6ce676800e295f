# What scripts in the machine know of the benches comedi-2 and comedi-2x4: sites as comedi_plant takes them, and where their
# actuators' volts can be read back. Sourced with the bench's name.
case $1 in
comedi-2)
	sites="/dev/comedi0:0,/dev/comedi0:4 /dev/comedi0:1,/dev/comedi0:5"
	actuators() { "$1" /dev/comedi0 | cut -d' ' -f1,2 | sed 's/-0.000/0.000/g'; }
	;;
comedi-2x4)
	sites="/dev/comedi0:0,/dev/comedi2:4 /dev/comedi1:0,/dev/comedi3:4"
	actuators() { "$1" /dev/comedi0 /dev/comedi1 | cut -d' ' -f1 | paste -sd' ' | sed 's/-0.000/0.000/g'; }
	;;
esac
